import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../test-endpoint.ts'
import { agree, everythingAsked, startAsking } from './test-asking.ts'

type Gateway = Awaited<ReturnType<typeof startAsking>>
type Facts = { pid: number; runs: number; capabilities: object; progressed: number; notes: string[]; rootsAnswer: string }
const facts = async (client: { tool: (name: string) => Promise<string> }) => JSON.parse(await client.tool('facts')) as Facts
const instances = (of: Gateway) => of.supervisor.servers.report()[0]!.instances

let gateway: Gateway
beforeEach(async () => {
  gateway = await startAsking()
})
afterEach(() => gateway.stop())

describe('a legacy client that can be asked', () => {
  it('is asked on the stream of its call, and the server gets its answer', async () => {
    const client = await gateway.session({ elicitation: {}, sampling: {} })
    expect(JSON.parse(await client.tool('ask', { text: 'one?' }))).toEqual({
      asked: 'one?',
      action: 'accept',
      content: { answer: 'to one?' },
    })
    expect(await client.tool('sample', { text: 'two' })).toContain('completed two')
    expect(client.asked.map(({ method }) => method)).toEqual(['elicitation/create', 'sampling/createMessage'])
  })

  it('has a process of its own that lives as long as its session, beside the one for everybody', async () => {
    const plain = await gateway.legacy('/mcp/servers/asks')
    const [one, two] = [await gateway.session(everythingAsked), await gateway.session(everythingAsked)]
    const pids = [(JSON.parse(await plain.textOf('facts')) as Facts).pid, (await facts(one)).pid, (await facts(two)).pid]
    expect(new Set(pids).size).toBe(3)
    expect((await facts(one)).pid).toBe(pids[1])
    expect(instances(gateway).map(({ belongsTo }) => belongsTo)).toEqual([undefined, 'session', 'session'])
    await one.end()
    await until(() => instances(gateway).length === 2)
    expect((await facts(two)).pid).toBe(pids[2])
  })

  it('is asked for its roots only where the definition of the server says so', async () => {
    const client = await gateway.session(everythingAsked)
    expect((await facts(client)).capabilities).toEqual({ sampling: {}, elicitation: {} })
    expect(await client.tool('roots')).toMatch(/not declared the capability/)
  })

  it('may withdraw nothing, but the server may: the client is told', async () => {
    const told: unknown[] = []
    const client = await gateway.session(everythingAsked, () => undefined)
    const onMessage = ({ method, params }: { method?: string; params?: object }) =>
      void (method === 'notifications/cancelled' && told.push(params))
    const { messages } = await client.send('tools/call', { name: 'withdraw', arguments: { text: 'x' } }, { onMessage })
    expect(messages.at(-1)).toMatchObject({ result: { content: [{ text: 'withdrawn' }] } })
    expect(told).toMatchObject([{ reason: 'changed its mind' }])
  })

  it('is asked on its GET stream after the call, and the answer reaches the server', async () => {
    const client = await gateway.session(everythingAsked)
    const stream = await client.listen(client.answers)
    await client.tool('late', { text: 'after', delay: 20 })
    await until(async () => (await facts(client)).notes.length > 0)
    expect((await facts(client)).notes[0]).toContain('to after')
    stream.close()
  })

  it('tells a server that wants to know that it is still being asked', async () => {
    const slow = await startAsking({}, { askProgress: 20 })
    try {
      const client = await slow.session(everythingAsked, () => undefined)
      let id: unknown
      const call = client.send('tools/call', { name: 'ask', arguments: { text: 'x' } }, { onMessage: (message) => (id ??= message.id) })
      await until(() => id !== undefined)
      await until(async () => (await facts(client)).progressed >= 2)
      await client.answer(id, agree({ method: 'elicitation/create', params: { message: 'x' } }))
      expect((await call).messages.at(-1)).toMatchObject({ result: { content: [{ text: expect.stringContaining('to x') as string }] } })
    } finally {
      await slow.stop()
    }
  })

  it('is told when too many others can be asked, and is then served like anybody', async () => {
    const small = await startAsking({ maxSessions: 1 })
    try {
      const first = await small.session(everythingAsked)
      const second = await small.session(everythingAsked)
      expect(first.opened.result!['instructions']).toBeUndefined()
      expect(second.opened.result!['instructions']).toMatch(/Too many clients use asks/)
      expect(await second.tool('ask', { text: 'x' })).toMatch(/not declared/)
      expect(await first.tool('ask', { text: 'x' })).toContain('to x')
      await first.end()
      expect(await second.tool('ask', { text: 'x' })).toContain('to x')
    } finally {
      await small.stop()
    }
  })

  it('is not timed while it is being asked', async () => {
    const short = await startAsking({ callTimeoutMs: 150 })
    try {
      const client = await short.session(everythingAsked, () => undefined)
      let id: unknown
      const call = client.send('tools/call', { name: 'ask', arguments: { text: 'x' } }, { onMessage: (message) => (id ??= message.id) })
      await until(() => id !== undefined)
      // Another call runs into its time meanwhile, so the first has been open for longer than that.
      await expect(client.tool('ask', { text: 'slow', delay: 400 })).resolves.toMatch(/did not answer/)
      await client.answer(id, agree({ method: 'elicitation/create', params: { message: 'x' } }))
      expect((await call).messages.at(-1)).toMatchObject({ result: { content: [{ text: expect.stringContaining('to x') as string }] } })
    } finally {
      await short.stop()
    }
  })

  it('gets another process after its own has ended, and the call in it fails in words', async () => {
    const client = await gateway.session(everythingAsked, () => undefined)
    const before = await facts(client)
    expect(await client.tool('die', { text: 'x' })).toMatch(/closed its output/)
    expect((await facts(client)).pid).not.toBe(before.pid)
  })
})

describe('a server whose sessions must not mix', () => {
  it('gives every session a process, and refuses one too many', async () => {
    const own = await startAsking({ sessions: 'session', maxSessions: 2 })
    try {
      const [one, two, three] = [await own.session({}), await own.session({}), await own.session({})]
      expect((await facts(one)).pid).not.toBe((await facts(two)).pid)
      expect(await three.tool('facts')).toMatch(/all 2 sessions of server asks are in use/)
    } finally {
      await own.stop()
    }
  })
})
