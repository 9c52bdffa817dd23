import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keysIn, startEndpoint, textIn, until, type RpcAnswer } from './test-endpoint.ts'
import { fixture } from './test-servers.ts'

let gateway: Awaited<ReturnType<typeof startEndpoint>>
const node = process.execPath
const one = '/mcp/servers/echo'

beforeAll(async () => {
  gateway = await startEndpoint()
  await gateway.fleet.add('echo', [node, fixture('servers/echo.ts')])
  await gateway.fleet.add('changes', [node, fixture('servers/list-changes.ts')])
  await gateway.fleet.add('modern', [node, fixture('servers/modern-only.ts')])
  await gateway.fleet.add('hangs', [node, fixture('servers/hangs-on-call.ts')], { callTimeoutMs: 300 })
  await gateway.fleet.add('fixture', [node, fixture('conformance-server.ts'), 'stdio', '--era', 'legacy'])
  gateway.fleet.addUnavailable('broken', 'ExitedEarly: exit code 3')
})
afterAll(() => gateway.stop())

describe('initialize', () => {
  it.each([
    ['2024-11-05', '2024-11-05'],
    ['2025-03-26', '2025-03-26'],
    ['2025-11-25', '2025-11-25'],
    ['2199-01-01', '2025-11-25'],
    ['2026-07-28', '2025-11-25'],
  ])('with %s is answered with %s', async (asked, answered) => {
    const { opened } = await gateway.legacy(one, asked)
    expect(opened.result).toMatchObject({ protocolVersion: answered, serverInfo: { name: 'echo' }, capabilities: { tools: {} } })
  })

  it('to a server that is not there says why, and when to come again', async () => {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
    const answer = await gateway.http('/mcp/servers/broken', { body: { jsonrpc: '2.0', id: 1, method: 'initialize', params } })
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
    expect(answer.messages[0]!.error!.message).toContain('ExitedEarly')
  })
})

describe('a session', () => {
  it('is demanded, and one that is unknown is 404 so that the client initializes again', async () => {
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    expect(await gateway.http(one, { body })).toMatchObject({ status: 400 })
    expect(await gateway.http(one, { body, headers: { 'mcp-session-id': 'unknown' } })).toMatchObject({ status: 404 })
  })

  it('belongs to its path', async () => {
    const { headers } = await gateway.legacy(one)
    expect(await gateway.http('/mcp', { headers, body: { jsonrpc: '2.0', id: 1, method: 'ping' } })).toMatchObject({ status: 404 })
  })

  it('ends by DELETE', async () => {
    const client = await gateway.legacy(one)
    expect(gateway.endpoint.activeSessions()).toBeGreaterThan(0)
    expect(await gateway.http(one, { method: 'DELETE', headers: client.headers })).toMatchObject({ status: 200 })
    expect(await client.send('ping')).toMatchObject({ status: 404 })
  })

  it('answers ping, and -32601 to what it does not know', async () => {
    const client = await gateway.legacy(one)
    expect(await client.call('ping')).toMatchObject({ result: {} })
    expect(await client.call('nonsense/method')).toMatchObject({ error: { code: -32601 } })
  })

  it('knows batches in 2025-03-26 and refuses them elsewhere', async () => {
    const body = [
      { jsonrpc: '2.0', id: 'a', method: 'ping' },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 'b', method: 'tools/list' },
      7,
    ]
    const old = await gateway.legacy(one, '2025-03-26')
    const answers = JSON.parse((await gateway.http(one, { headers: old.headers, body })).text) as RpcAnswer[]
    expect(answers.map(({ id }) => id).sort()).toEqual(['a', 'b', null])
    const newer = await gateway.legacy(one)
    expect(await gateway.http(one, { headers: newer.headers, body })).toMatchObject({ status: 400 })
  })
})

describe('a call', () => {
  it('reaches the server under its own names', async () => {
    const client = await gateway.legacy(one)
    expect(await client.textOf('echo', { text: 'grüß dich' })).toBe('grüß dich')
    expect(keysIn(await client.call('tools/list'), 'tools')).toEqual(['echo', 'pid', 'env', 'sleep', 'progress'])
  })

  it('keeps the kind of its id', async () => {
    const client = await gateway.legacy(one)
    for (const id of ['text', 0, 99]) expect((await client.send('ping', undefined, { id })).messages[0]!.id).toBe(id)
  })

  it('is answered as JSON, and as events once the server has something to tell', async () => {
    const client = await gateway.legacy(one)
    const plain = await client.send('tools/call', { name: 'progress', arguments: { steps: 2 } })
    expect(plain.headers['content-type']).toBe('application/json')
    const stream = await client.send('tools/call', { name: 'progress', arguments: { steps: 2 }, _meta: { progressToken: 'mine' } })
    expect(stream.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
    expect(stream.messages.map(({ params }) => params?.['progressToken'])).toEqual(['mine', 'mine', undefined])
    expect(textIn(stream.messages.at(-1)!)).toBe('reported 2 steps')
  })

  it('of a client that takes no events is answered all the same', async () => {
    const client = await gateway.legacy(one)
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'progress', arguments: { steps: 2 }, _meta: { progressToken: 1 } },
    }
    const answer = await gateway.http(one, { headers: { ...client.headers, accept: 'application/json' }, body })
    expect(answer.headers['content-type']).toBe('application/json')
    expect(textIn(answer.messages[0]!)).toBe('reported 2 steps')
  })

  it('is cancelled by notifications/cancelled, with no answer', async () => {
    const client = await gateway.legacy(one)
    const call = client.send('tools/call', { name: 'sleep', arguments: { ms: 20_000 } }, { id: 'long' })
    await until(() => gateway.fleet.acquired('echo') > 0)
    expect(await client.notify('notifications/cancelled', { requestId: 'long' })).toMatchObject({ status: 202 })
    expect((await call).messages).toEqual([])
    await until(() => gateway.fleet.acquired('echo') === 0)
  })

  it('that takes too long becomes a result that says so', async () => {
    const client = await gateway.legacy('/mcp/servers/hangs')
    const answer = await client.call('tools/call', { name: 'hang', arguments: {} })
    expect(answer.result).toMatchObject({ isError: true })
    expect(textIn(answer)).toMatch(/"hangs" gave no answer.*0.3 s.*callTimeout/)
    expect(gateway.fleet.acquired('hangs')).toBe(0)
  })

  it('of a client that hangs up runs on and leaks nothing', async () => {
    const client = await gateway.legacy(one)
    const hangUp = new AbortController()
    const call = client.send('tools/call', { name: 'sleep', arguments: { ms: 200 } }, { signal: hangUp.signal }).catch(() => 'hung up')
    await until(() => gateway.fleet.acquired('echo') > 0)
    hangUp.abort()
    expect(await call).toBe('hung up')
    await until(() => gateway.fleet.acquired('echo') === 0)
  })

  it('reaches a modern server, without what a legacy client does not know', async () => {
    const client = await gateway.legacy('/mcp/servers/modern')
    const answer = await client.call('tools/call', { name: 'echo', arguments: { text: 'across' } })
    expect(answer.result).toEqual({ content: [{ type: 'text', text: 'across' }] })
  })

  it('that fails in the server comes back as the server said it', async () => {
    const client = await gateway.legacy(one)
    expect(await client.call('tools/call', { name: 'missing', arguments: {} })).toMatchObject({
      error: { code: -32602, message: 'Unknown tool: missing' },
    })
  })
})

describe('what belongs to no request', () => {
  it('comes on the GET stream: changed lists, and updates of a resource that two sessions watch', async () => {
    const path = '/mcp/servers/changes'
    const clients = await Promise.all([gateway.legacy(path), gateway.legacy(path)])
    const told = await Promise.all(
      clients.map(async (client) => {
        const messages: RpcAnswer[] = []
        const stream = await client.listen((message) => messages.push(message))
        await client.call('resources/subscribe', { uri: 'test://counter' })
        return { messages, stream }
      }),
    )
    const count = (index: number, method: string) => told[index]!.messages.filter((message) => message.method === method).length
    const updated = 'notifications/resources/updated'
    await clients[0]!.textOf('touch', { uri: 'test://counter' })
    await until(() => count(0, updated) === 1 && count(1, updated) === 1)
    await clients[0]!.call('resources/unsubscribe', { uri: 'test://counter' })
    await clients[0]!.textOf('touch', { uri: 'test://counter' })
    await until(() => count(1, updated) === 2)
    expect(count(0, updated)).toBe(1)

    await clients[0]!.textOf('add_tool', { name: 'brand-new' })
    await until(() => count(0, 'notifications/tools/list_changed') > 0)
    expect(keysIn(await clients[1]!.call('tools/list'), 'tools')).toContain('brand-new')
    for (const { stream } of told) stream.close()
    await Promise.all(told.map(({ stream }) => stream.ended))
  })

  it('is filtered by the level of the session', async () => {
    const levels = async (level?: string) => {
      const client = await gateway.legacy('/mcp/servers/fixture')
      if (level !== undefined) await client.call('logging/setLevel', { level })
      const { messages } = await client.send('tools/call', { name: 'test_tool_with_logging', arguments: {} })
      return messages.flatMap(({ params }) => (params?.['level'] === undefined ? [] : [params['level']]))
    }
    expect(await levels('debug')).toEqual(['info', 'info', 'info'])
    expect(await levels('error')).toEqual([])
    const client = await gateway.legacy('/mcp/servers/fixture')
    expect(await client.call('logging/setLevel', { level: 'loud' })).toMatchObject({ error: { code: -32602 } })
  })
})

it('passes prompts, resources, templates and completions', async () => {
  const client = await gateway.legacy('/mcp/servers/fixture')
  expect(keysIn(await client.call('prompts/list'), 'prompts')).toContain('test_simple_prompt')
  expect(await client.call('prompts/get', { name: 'test_simple_prompt' })).toHaveProperty('result.messages')
  expect(keysIn(await client.call('resources/templates/list'), 'resourceTemplates', 'uriTemplate')).toContain('test://template/{id}/data')
  expect(await client.call('resources/read', { uri: 'test://template/7/data' })).toHaveProperty('result.contents')
  const ref = { type: 'ref/prompt', name: 'test_prompt_with_arguments' }
  expect(await client.call('completion/complete', { ref, argument: { name: 'arg1', value: '' } })).toHaveProperty('result.completion')
})
