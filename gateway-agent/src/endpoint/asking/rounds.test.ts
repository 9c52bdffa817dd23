import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture } from '../test-servers.ts'
import { startEndpoint, textIn, until, type RpcAnswer } from '../test-endpoint.ts'
import { agree, everythingAsked, type Answering } from './test-asking.ts'

let gateway: Awaited<ReturnType<typeof startEndpoint>>
const path = '/mcp/servers/modern'
const tool = (name: string) => `test_input_required_result_${name}`

beforeAll(async () => {
  gateway = await startEndpoint()
  const command = [process.execPath, fixture('conformance-server.ts'), 'stdio', '--era', 'modern']
  await gateway.fleet.add('modern', command, { forward: ['sampling', 'elicitation', 'roots'] })
  await gateway.fleet.add('strict', command)
})
afterAll(() => gateway.stop())

async function client(answering: Answering, capabilities: object = everythingAsked, at = path) {
  const asked: string[] = []
  const session = await gateway.legacy(at, '2025-11-25', { ...capabilities })
  return { ...session, asked, run }

  async function run(name: string, more: { id?: string } = {}): Promise<RpcAnswer | undefined> {
    const onMessage = ({ id, method, params = {} }: RpcAnswer) => {
      if (method === undefined || id === undefined) return
      asked.push(method)
      const result = answering({ method, params })
      if (result) void session.answer(id, result)
    }
    return (await session.send('tools/call', { name, arguments: {} }, { ...more, onMessage })).messages.at(-1)
  }
}

describe('a legacy client of a modern server', () => {
  it('is asked by real requests, all of a round at once, until the call is complete', async () => {
    const one = await client(({ method, params }) =>
      method === 'elicitation/create' ? { action: 'accept', content: { name: 'Ada', color: 'red' } } : agree({ method, params }),
    )
    expect(textIn((await one.run(tool('multiple_inputs')))!)).toContain('Ada, 1 roots')
    expect(one.asked.toSorted()).toEqual(['elicitation/create', 'roots/list', 'sampling/createMessage'])
    expect(textIn((await one.run(tool('multi_round')))!)).toContain('Ada likes')
  })

  it('is asked only for what it has declared and what the server may ask', async () => {
    const silent = await client(agree, {})
    expect(textIn((await silent.run(tool('elicitation')))!)).toMatch(/elicitation/)
    const strict = await client(agree, everythingAsked, '/mcp/servers/strict')
    expect(textIn((await strict.run(tool('list_roots')))!)).toMatch(/roots/)
    expect(strict.asked).toEqual([])
  })

  it('may cancel while it is being asked: the call ends, and what it was asked is withdrawn', async () => {
    const one = await client(() => undefined)
    const call = one.run(tool('elicitation'), { id: 'mine' })
    await until(() => one.asked.length > 0)
    await one.notify('notifications/cancelled', { requestId: 'mine', reason: 'enough' })
    expect(await call).toMatchObject({ method: 'notifications/cancelled' })
  })

  it('that answers with an error ends the call with a reason', async () => {
    const session = await gateway.legacy(path, '2025-11-25', everythingAsked)
    const onMessage = ({ id, method }: RpcAnswer) => {
      if (method === undefined || id === undefined) return
      const error = { code: -1, message: 'the user has gone' }
      void gateway.http(path, { headers: session.headers, body: { jsonrpc: '2.0', id, error } })
    }
    const { messages } = await session.send('tools/call', { name: tool('elicitation'), arguments: {} }, { onMessage })
    expect(textIn(messages.at(-1)!)).toMatch(/the user has gone/)
  })
})
