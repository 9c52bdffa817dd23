import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listenOn } from './port.ts'
import { startEndpoint, until } from './test-endpoint.ts'
import { fixture } from './test-servers.ts'

let gateway: Awaited<ReturnType<typeof startEndpoint>>
beforeAll(async () => {
  gateway = await startEndpoint({ allowedOrigins: ['https://trusted.example'], maxSessions: 3, timers: { sseKeepAlive: 30 } })
  await gateway.fleet.add('echo', [process.execPath, fixture('servers/echo.ts')])
})
afterAll(() => gateway.stop())

describe('before anything else', () => {
  const body = { jsonrpc: '2.0', id: 1, method: 'ping' }
  it.each([
    ['a strange Host', { host: 'evil.example' }, 403],
    ['an origin that is not ours', { origin: 'http://127.0.0.1:1' }, 403],
    ['the origin null', { origin: 'null' }, 403],
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a named origin', { origin: 'https://trusted.example' }, 400],
    ['no origin at all', {}, 400],
  ])('%s is judged', async (_name, headers, status) => {
    expect((await gateway.http('/mcp', { headers: headers as Record<string, string>, body })).status).toBe(status)
  })

  it('a page of a named origin may read the answer, and may ask first', async () => {
    const headers = {
      origin: 'https://trusted.example',
      'access-control-request-headers': 'mcp-method',
      'access-control-request-method': 'POST',
    }
    const preflight = await gateway.http('/mcp', { method: 'OPTIONS', headers })
    expect(preflight).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': 'https://trusted.example', 'access-control-allow-headers': 'mcp-method' },
    })
    expect((await gateway.http('/mcp', { body })).headers).not.toHaveProperty('access-control-allow-origin')
  })

  it.each([
    ['no JSON', '{"jsonrpc"', {}, 400, -32700],
    ['no message', '{"hello":1}', {}, 400, -32600],
    ['a number', '7', {}, 400, -32600],
    ['another type of body', 'x=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415, -32600],
    ['too much', `{"x":"${'y'.repeat(4 * 1024 * 1024)}"}`, {}, 413, -32602],
  ])('a body with %s is refused', async (_name, text, headers, status, code) => {
    expect(await gateway.http('/mcp', { body: text, headers: headers as Record<string, string> })).toMatchObject({
      status,
      messages: [{ error: { code } }],
    })
  })

  it('a path nobody serves is 404, projects among them', async () => {
    for (const path of ['/', '/mcp/servers/unknown', '/mcp/projects/web', '/mcp/servers/', '/mcpx']) {
      expect((await gateway.http(path, { body })).status).toBe(404)
    }
  })
})

it('answers probes whatever the Host, metrics only as itself', async () => {
  const strange = { host: 'probe.example' }
  expect(await gateway.http('/healthz', { method: 'GET', headers: strange })).toMatchObject({ status: 200, text: '{"status":"ok"}' })
  expect(await gateway.http('/readyz', { method: 'GET', headers: strange })).toMatchObject({
    status: 503,
    text: expect.stringContaining('waiting'),
  })
  expect(await gateway.http('/metrics', { method: 'GET', headers: strange })).toMatchObject({ status: 403 })
  expect(await gateway.http('/metrics', { method: 'GET' })).toMatchObject({ status: 200, text: 'mcpg_up 1\n' })
})

it('keeps silent streams alive with comments', async () => {
  const client = await gateway.legacy()
  const hangUp = new AbortController()
  let text = ''
  const response = await fetch(`http://127.0.0.1:${gateway.port}/mcp`, { headers: client.headers, signal: hangUp.signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  while (!text.includes(': keep-alive')) text += (await reader.read()).value ?? ''
  hangUp.abort()
  await gateway.http('/mcp', { method: 'DELETE', headers: client.headers })
})

it('has room for so many sessions, then says 503 and when to come again', async () => {
  const open = [await gateway.legacy(), await gateway.legacy(), await gateway.legacy()]
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
  const initialize = () => gateway.http('/mcp', { body: { jsonrpc: '2.0', id: 1, method: 'initialize', params } })
  expect(await initialize()).toMatchObject({ status: 503, headers: { 'retry-after': '30' } })
  await gateway.http('/mcp', { method: 'DELETE', headers: open[0]!.headers })
  expect(await initialize()).toMatchObject({ status: 200 })
})

it('ends sessions that nobody uses, and not those that hold a stream', async () => {
  const own = await startEndpoint({ timers: { sessionIdle: 150 } })
  const [idle, held] = [await own.legacy(), await own.legacy()]
  const stream = await held.listen(() => {})
  await until(() => own.endpoint.activeSessions() === 1)
  expect(await idle.send('ping')).toMatchObject({ status: 404 })
  expect(await held.send('ping')).toMatchObject({ status: 200 })
  stream.close()
  await stream.ended
  await until(() => own.endpoint.activeSessions() === 0)
  await own.stop()
})

describe('its port', () => {
  async function held(): Promise<{ server: Server; port: number }> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { server, port: (server.address() as AddressInfo).port }
  }

  it('given and taken is refused, naming who holds it', async () => {
    const { server, port } = await held()
    await expect(listenOn(createServer(), '127.0.0.1', port)).rejects.toMatchObject({
      code: 'conflict',
      reason: 'port_taken',
      message: expect.stringMatching(process.platform === 'linux' ? /taken by .*\(pid \d+\)/ : /taken/),
    })
    server.close()
  })

  it('not given is the one of the last time, and when that is taken another', async () => {
    const { server, port } = await held()
    const other = createServer()
    const found = await listenOn(other, '127.0.0.1', undefined, port)
    expect(found).not.toBe(port)
    expect(found).toBeGreaterThanOrEqual(7845)
    other.close()
    server.close()
  })
})
