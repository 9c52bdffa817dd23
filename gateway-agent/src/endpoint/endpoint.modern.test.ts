import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keysIn, startEndpoint, textIn, until, type RpcAnswer } from './test-endpoint.ts'
import { fixture } from './test-servers.ts'

let gateway: Awaited<ReturnType<typeof startEndpoint>>
const node = process.execPath
const infoKey = 'io.modelcontextprotocol/serverInfo'

beforeAll(async () => {
  gateway = await startEndpoint()
  await gateway.fleet.add('echo', [node, fixture('servers/echo.ts')])
  await gateway.fleet.add('changes', [node, fixture('servers/list-changes.ts')])
  await gateway.fleet.add('modern', [node, fixture('servers/modern-only.ts')])
  await gateway.fleet.add('dual', [node, fixture('conformance-server.ts'), 'stdio'])
})
afterAll(() => gateway.stop())

it('answers server/discover itself, for a legacy server too', async () => {
  const { result } = await gateway.modern('/mcp/servers/echo').call('server/discover')
  expect(result).toMatchObject({
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {} },
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [infoKey]: { name: 'echo' } },
  })
})

describe('a call', () => {
  it.each(['echo', 'modern'])('reaches the server %s and comes back in the modern form', async (server) => {
    const { result } = await gateway.modern(`/mcp/servers/${server}`).call('tools/call', { name: 'echo', arguments: { text: 'hi' } })
    expect(result).toMatchObject({
      resultType: 'complete',
      content: [{ text: 'hi' }],
      _meta: { [infoKey]: { name: server === 'echo' ? 'echo' : 'modern-only' } },
    })
  })

  it('tells its progress under the token of the client', async () => {
    const { messages, headers } = await gateway
      .modern('/mcp/servers/echo')
      .send('tools/call', { name: 'progress', arguments: { steps: 3 } }, { meta: { progressToken: 5 } })
    expect(headers['content-type']).toBe('text/event-stream')
    expect(messages.map(({ params }) => params?.['progressToken'])).toEqual([5, 5, 5, undefined])
  })

  it('is cancelled by the end of the connection', async () => {
    const hangUp = new AbortController()
    const call = gateway
      .modern('/mcp/servers/echo')
      .send('tools/call', { name: 'sleep', arguments: { ms: 20_000 } }, { signal: hangUp.signal })
    const ended = call.catch(() => 'hung up')
    await until(() => gateway.fleet.acquired('echo') > 0)
    hangUp.abort()
    expect(await ended).toBe('hung up')
    await until(() => gateway.fleet.acquired('echo') === 0)
    expect(gateway.fleet.connection('echo').inFlight()).toBe(0)
  })

  it('that needs input passes through both ways, its state untouched', async () => {
    const client = gateway.modern('/mcp/servers/dual')
    const capabilities = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } }
    const asked = await client.call('tools/call', { name: 'test_input_required_result_elicitation', arguments: {} }, capabilities)
    expect(asked.result).toMatchObject({ resultType: 'input_required' })
    const [key] = Object.keys(asked.result!['inputRequests'] as object)
    const inputResponses = { [key!]: { action: 'accept', content: { name: 'Ann' } } }
    const { requestState } = asked.result!
    const again = {
      name: 'test_input_required_result_elicitation',
      arguments: {},
      inputResponses,
      ...(requestState === undefined ? {} : { requestState }),
    }
    expect(await client.call('tools/call', again, capabilities)).toMatchObject({ result: { resultType: 'complete' } })
  })
})

describe('what is refused', () => {
  it('has the status and the code of the specification', async () => {
    const client = gateway.modern('/mcp/servers/echo')
    expect(await client.send('nonsense/method')).toMatchObject({ status: 404, messages: [{ error: { code: -32601 } }] })
    expect(await client.send('ping')).toMatchObject({ status: 404 })
    const params = { name: 'echo', arguments: { text: 'x' } }
    expect(await client.send('tools/call', params, { headers: { 'mcp-name': 'other' } })).toMatchObject({
      status: 400,
      messages: [{ error: { code: -32020 } }],
    })
    const future = { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' }
    expect(await client.send('tools/list', {}, { meta: future, headers: { 'mcp-protocol-version': '2099-01-01' } })).toMatchObject({
      status: 400,
      messages: [{ error: { code: -32022 } }],
    })
  })

  it('includes GET and DELETE, and batches', async () => {
    const headers = { 'mcp-protocol-version': '2026-07-28' }
    expect(await gateway.http('/mcp', { method: 'GET', headers })).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(await gateway.http('/mcp', { method: 'DELETE', headers })).toMatchObject({ status: 405 })
    expect(await gateway.http('/mcp', { headers, body: [] })).toMatchObject({ status: 400 })
  })

  it('includes headers that disagree with arguments, under the exposed name too', async () => {
    const call = (path: string, name: string, region: string) =>
      gateway.modern(path).send('tools/call', { name, arguments: { region: 'eu' } }, { headers: { 'mcp-param-region': region } })
    expect(await call('/mcp/servers/dual', 'test_x_mcp_header', 'us')).toMatchObject({
      status: 400,
      messages: [{ error: { code: -32020 } }],
    })
    expect(await call('/mcp', 'dual__test_x_mcp_header', 'us')).toMatchObject({ status: 400, messages: [{ error: { code: -32020 } }] })
    expect((await call('/mcp', 'dual__test_x_mcp_header', 'eu')).messages[0]).toHaveProperty('result')
  })
})

describe('subscriptions/listen', () => {
  async function listen(path: string, notifications: object) {
    const messages: RpcAnswer[] = []
    const hangUp = new AbortController()
    const ended = gateway
      .modern(path)
      .send('subscriptions/listen', { notifications }, { onMessage: (message) => messages.push(message), signal: hangUp.signal })
    const done = ended.catch(() => undefined)
    await until(() => messages.length > 0)
    return { messages, close: () => hangUp.abort(), done }
  }
  const wanted = { toolsListChanged: true, resourceSubscriptions: ['test://counter', 'nobody://serves/this'] }

  it.each([
    ['/mcp/servers/changes', ''],
    ['/mcp', 'changes__'],
  ])('on %s acknowledges what it can do, then tells of changes, each tagged with its id', async (path, prefix) => {
    const stream = await listen(path, wanted)
    const subscriptionId = { 'io.modelcontextprotocol/subscriptionId': 1 }
    expect(stream.messages[0]).toMatchObject({ method: 'notifications/subscriptions/acknowledged', params: { _meta: subscriptionId } })
    expect((stream.messages[0]!.params!['notifications'] as typeof wanted).resourceSubscriptions).toContain('test://counter')
    const call = (name: string, args: object) => gateway.modern(path).call('tools/call', { name: prefix + name, arguments: args })
    await call('touch', { uri: 'test://counter' })
    await until(() =>
      stream.messages.some(({ method, params }) => method === 'notifications/resources/updated' && params?.['uri'] === 'test://counter'),
    )
    await call('add_tool', { name: `later${prefix}` })
    await until(() => stream.messages.some(({ method }) => method === 'notifications/tools/list_changed'))
    expect(stream.messages.map(({ params }) => params?.['_meta'])).toEqual(stream.messages.map(() => subscriptionId))
    stream.close()
    await stream.done
  })

  it('ends at once, gracefully, when nothing of the wish can be done', async () => {
    const { messages, done } = await listen('/mcp/servers/echo', { promptsListChanged: true })
    await done
    expect(messages.map(({ method, result }) => method ?? result?.['resultType'])).toEqual([
      'notifications/subscriptions/acknowledged',
      'complete',
    ])
  })

  it('is ended with an answer when the gateway stops', async () => {
    const own = await startEndpoint()
    await own.fleet.add('changes', [node, fixture('servers/list-changes.ts')])
    const messages: RpcAnswer[] = []
    const stream = own
      .modern()
      .send('subscriptions/listen', { notifications: { toolsListChanged: true } }, { onMessage: (message) => messages.push(message) })
    await until(() => messages.length > 0)
    await own.stop()
    expect((await stream).messages.at(-1)).toMatchObject({ result: { resultType: 'complete' } })
  })
})

it('tells a log to who asked for it with the request, and only to them', async () => {
  const own = await startEndpoint()
  await own.fleet.add('logs', [node, fixture('conformance-server.ts'), 'stdio', '--era', 'legacy'])
  const call = (meta: object) =>
    own.modern('/mcp/servers/logs').send('tools/call', { name: 'test_tool_with_logging', arguments: {} }, { meta: { ...meta } })
  expect((await call({})).headers['content-type']).toBe('application/json')
  const told = await call({ 'io.modelcontextprotocol/logLevel': 'info' })
  expect(told.messages.filter(({ method }) => method === 'notifications/message')).toHaveLength(3)
  expect(textIn(told.messages.at(-1)!)).toContain('Logged')
  await own.stop()
})

it('lists with what the server says about keeping the list', async () => {
  const { result } = await gateway.modern('/mcp/servers/dual').call('tools/list')
  expect(result).toMatchObject({
    resultType: 'complete',
    ttlMs: expect.any(Number),
    cacheScope: expect.stringMatching(/public|private/),
    _meta: { [infoKey]: { name: 'mcpg-conformance-fixture' } },
  })
  const both = await gateway.modern().call('tools/list')
  expect(both.result).toMatchObject({ ttlMs: 0, cacheScope: 'private', _meta: { [infoKey]: { name: 'mcpg' } } })
  expect(keysIn(both, 'tools')).toEqual(expect.arrayContaining(['echo__echo', 'modern__echo']))
})
