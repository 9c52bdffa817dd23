import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apply, fixture } from '../../../servers/test-servers/open-supervisor.ts'
import type { Params } from '../../../mcp/protocol.ts'
import { textIn, until, type RpcAnswer } from '../../test-endpoint.ts'
import { agree, startAsking } from '../test-asking.ts'

type Gateway = Awaited<ReturnType<typeof startAsking>>
type Caller = ReturnType<Gateway['caller']>
type Facts = { pid: number; runs: number; progressed: number; cancelled: number; notes: string[] }

const inputRequests = (answer: RpcAnswer) => answer.result?.['inputRequests'] as Record<string, { method: string; params: Params }>
const facts = async (caller: Caller) => JSON.parse(textIn(await caller.tool('facts'))) as Facts
const own = ({ supervisor }: Gateway) => supervisor.servers.report()[0]!.instances.filter(({ belongsTo }) => belongsTo === 'caller')

async function using<Result>(gateway: Promise<Gateway>, run: (gateway: Gateway) => Promise<Result>): Promise<Result> {
  const started = await gateway
  try {
    return await run(started)
  } finally {
    await started.stop()
  }
}

describe('a modern client of a legacy server', () => {
  let gateway: Gateway
  beforeAll(async () => {
    gateway = await startAsking()
  })
  afterAll(() => gateway.stop())

  it('is answered with what the server asks, and by its retry with what the server says then', async () => {
    const ada = gateway.caller('ada')
    const parked = await ada.tool('ask', { text: 'sure?' })
    expect(parked.result).toMatchObject({ resultType: 'input_required', requestState: expect.stringMatching(/^mcpg1\./) as string })
    expect(inputRequests(parked)).toEqual({
      ask_1: { method: 'elicitation/create', params: { message: 'sure?', requestedSchema: expect.anything() as object } },
    })
    const done = await ada.retry(parked, 'ask', { text: 'sure?' })
    expect(done.result).toMatchObject({ resultType: 'complete' })
    expect(JSON.parse(textIn(done))).toEqual({ asked: 'sure?', action: 'accept', content: { answer: 'to sure?' } })
  })

  it('gets questions that come together in one answer, and those that come later in rounds', async () => {
    const ada = gateway.caller('ada')
    const parked = await ada.tool('together', { a: 'x', b: 'y' })
    expect(Object.keys(inputRequests(parked))).toEqual(['ask_1', 'ask_2'])
    // One answered, one not: the other is asked again, and the answered one is not.
    const [first] = Object.keys(inputRequests(parked))
    const half = await ada.tool(
      'together',
      { a: 'x', b: 'y' },
      { inputResponses: { [first!]: { action: 'accept' } }, requestState: parked.result!['requestState'] },
    )
    expect(Object.keys(inputRequests(half))).toEqual(['ask_2'])
    expect(textIn(await ada.retry(half, 'together', { a: 'x', b: 'y' }))).toContain('to y')
    expect(JSON.parse(textIn(await ada.complete('rounds', { count: 4 })))).toHaveLength(4)
  })

  it('may bring answers with its first request', async () => {
    const inputResponses = { ask_1: { action: 'accept', content: { answer: 'ahead' } } }
    expect(textIn(await gateway.caller('ada').tool('ask', { text: 'x' }, { inputResponses }))).toContain('ahead')
  })

  it('gets progress under the token of each of its requests, and logs only when it asked for them', async () => {
    const ada = gateway.caller('ada')
    const heard: RpcAnswer[] = []
    const more = (token: string) => ({
      meta: { progressToken: token, 'io.modelcontextprotocol/logLevel': 'info' },
      onMessage: (message: RpcAnswer) => void (message.method && heard.push(message)),
    })
    const call = { name: 'slow', arguments: { text: 'x' } }
    const parked = (await ada.send('tools/call', call, more('first'))).messages.at(-1)!
    const [key] = Object.keys(inputRequests(parked))
    const retry = { ...call, inputResponses: { [key!]: { action: 'accept' } }, requestState: parked.result!['requestState'] }
    await ada.send('tools/call', retry, more('second'))
    expect(heard.map(({ method, params }) => (method === 'notifications/progress' ? params!['progressToken'] : params!['data']))).toEqual([
      'first',
      'before',
      'after',
      'second',
    ])
  })

  it('is not asked any more when the server has withdrawn its question', async () => {
    const ada = gateway.caller('ada')
    const parked = await ada.tool('withdraw', { text: 'x' })
    expect(parked.result!['resultType']).toBe('input_required')
    expect(textIn(await ada.retry(parked, 'withdraw', { text: 'x' }))).toBe('withdrawn')
  })

  it('is asked to visit a page by the modern form of the error that says so, and the call is made afresh', async () => {
    const ada = gateway.caller('ada')
    const before = await facts(ada)
    expect((await ada.tool('url')).result).toEqual({
      resultType: 'input_required',
      inputRequests: {
        url_1: { method: 'elicitation/create', params: { mode: 'url', url: 'https://example.com/visit', message: 'Please visit.' } },
      },
    })
    expect((await facts(ada)).runs).toBe(before.runs + 2)
  })

  it('that declares nothing is told what it lacks, once the call has failed without', async () => {
    const answer = await gateway.caller('plain', {}).send('tools/call', { name: 'sample', arguments: { text: 'x' } })
    expect(answer.status).toBe(400)
    expect(answer.messages[0]!.error).toMatchObject({ code: -32021, data: { requiredCapabilities: { sampling: {} } } })
  })

  it('that hangs up cancels the call at the server', async () => {
    const ada = gateway.caller('hangs-up')
    const before = await facts(ada)
    const hangUp = new AbortController()
    const call = ada
      .send('tools/call', { name: 'ask', arguments: { text: 'x', delay: 60_000 } }, { signal: hangUp.signal })
      .catch(() => 'gone')
    await until(() => own(gateway).some(({ inFlight }) => inFlight > 0))
    hangUp.abort()
    expect(await call).toBe('gone')
    await until(async () => (await facts(ada)).cancelled > before.cancelled)
  })

  it('is refused a state that is not the one of its request, and nothing is executed', async () => {
    const ada = gateway.caller('ada')
    const args = { text: 'mine' }
    const parked = await ada.tool('ask', args)
    const state = String(parked.result!['requestState'])
    const reasonOf = async (answer: Promise<RpcAnswer>) => (await answer).error?.data?.['reason']
    const withState = (requestState: string, by = ada, given: Params = args) => reasonOf(by.tool('ask', given, { requestState }))
    expect(await withState(`${state.slice(0, -2)}xx`)).toBe('invalid_request_state')
    expect(await withState(state, gateway.caller('eve'))).toBe('invalid_request_state')
    expect(await withState(state, ada, { text: 'other' })).toBe('invalid_request_state')
    expect(await withState('a state of somebody else')).toBe('invalid_request_state')
    expect(await withState(`mcpg1.00000000.${'A'.repeat(60)}`)).toBe('unknown_key')
    expect(textIn(await ada.retry(parked, 'ask', args))).toContain('to mine')
    expect(await withState(state)).toBe('call_ended')
  })

  it('cannot submit a state twice', async () => {
    const ada = gateway.caller('ada')
    const first = await ada.tool('rounds', { count: 2 })
    const second = await ada.retry(first, 'rounds', { count: 2 })
    expect((await ada.retry(first, 'rounds', { count: 2 })).error?.data).toMatchObject({ reason: 'already_used' })
    expect(textIn(await ada.retry(second, 'rounds', { count: 2 }))).toContain('round 2')
  })

  it('learns that the server died while it was asked', async () => {
    const ada = gateway.caller('ada')
    const parked = await ada.tool('die', { text: 'x' })
    await until(() => !own(gateway).some(({ inFlight }) => inFlight > 0))
    expect((await ada.retry(parked, 'die', { text: 'x' })).error).toMatchObject({ code: -32603, data: { reason: 'upstream_died' } })
  })
})

describe('a parked call', () => {
  it('is given up when its client stays away too long', () =>
    using(startAsking({}, { parked: 100 }), async (gateway) => {
      const ada = gateway.caller('ada')
      const parked = await ada.tool('ask', { text: 'x' })
      await until(async () => (await facts(ada)).cancelled > 0)
      expect((await ada.retry(parked, 'ask', { text: 'x' })).error?.data).toMatchObject({ reason: 'expired' })
    }))

  it('gives way to another of its caller that has waited for long enough, the oldest first, and to nobody else', () =>
    using(startAsking({}, { evictParked: 100 }), async (gateway) => {
      const [ada, bob] = [gateway.caller('ada'), gateway.caller('bob')]
      const other = await bob.tool('ask', { text: 'b' })
      const parked: RpcAnswer[] = []
      for (const text of ['1', '2', '3', '4', '5']) parked.push(await ada.tool('ask', { text }))
      expect((await ada.retry(parked[0]!, 'ask', { text: '1' })).error).toMatchObject({
        data: { reason: 'call_ended' },
        message: expect.stringContaining('given up') as string,
      })
      expect(textIn(await ada.retry(parked[1]!, 'ask', { text: '2' }))).toContain('to 2')
      expect(textIn(await ada.retry(parked[4]!, 'ask', { text: '5' }))).toContain('to 5')
      expect(textIn(await bob.retry(other, 'ask', { text: 'b' }))).toContain('to b')
      expect(own(gateway)).toHaveLength(5)
    }))

  it('is said to be gone with the gateway that was restarted, and is not executed again', async () => {
    const stateKey = Buffer.alloc(32, 7)
    const parked = await using(startAsking({}, {}, { stateKey }), (gateway) => gateway.caller('ada').tool('ask', { text: 'x' }))
    await using(startAsking({}, {}, { stateKey }), async (gateway) => {
      const ada = gateway.caller('ada')
      const answer = await ada.retry(parked, 'ask', { text: 'x' })
      expect(answer.error).toMatchObject({ code: -32603, data: { reason: 'gateway_restarted', sideEffects: 'unknown' } })
      expect((await facts(ada)).runs).toBe(1)
    })
  })

  it('is finished by the old process when its server is changed, for callTimeout at most', () =>
    using(startAsking({ callTimeoutMs: 10_000 }), async (gateway) => {
      const ada = gateway.caller('ada')
      const before = await facts(ada)
      const parked = await ada.tool('ask', { text: 'x' })
      await apply(gateway.supervisor.servers, { name: 'asks', command: fixture('asks'), callTimeoutMs: 11_000 })
      expect((await facts(ada)).pid).not.toBe(before.pid)
      expect(textIn(await ada.retry(parked, 'ask', { text: 'x' }, agree))).toContain('to x')
    }))

  it('leaves processes that end when nobody has used them for long', () =>
    using(startAsking({}, { callerChildIdle: 100 }), async (gateway) => {
      await gateway.caller('ada').complete('ask', { text: 'x' })
      expect(own(gateway)).toHaveLength(1)
      await until(() => own(gateway).length === 0)
    }))
})
