import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { McpConnection } from './connection.ts'
import { connectHttp } from './http.ts'

const open: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function startFixture(file: string, args: string[]): Promise<string> {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(new URL(`../../../e2e/fixtures/${file}`, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  open.push(async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  return (JSON.parse(line) as { url: string }).url
}

async function connect(url: string, more: Partial<Parameters<typeof connectHttp>[0]> = {}): Promise<McpConnection> {
  const connection = await connectHttp({ url, era: 'auto', timeoutMs: 10_000, clientInfo: { name: 'test', version: '1' }, ...more })
  open.push(() => connection.close())
  return connection
}

type Seen = {
  method: string
  headers: IncomingMessage['headers']
  body: { id?: number; method?: string; params?: Record<string, unknown> }
}

/** A legacy server one can look into: sessions that can be forgotten, every request kept. */
async function startLegacy(answer: (seen: Seen, response: ServerResponse) => boolean = () => false) {
  const seen: Seen[] = []
  let session = 0
  const http: Server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const one: Seen = {
      method: request.method ?? '',
      headers: request.headers,
      body: text === '' ? {} : (JSON.parse(text) as Seen['body']),
    }
    seen.push(one)
    if (answer(one, response)) return
    const json = (status: number, message: object, headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(message))
    const { id, method } = one.body
    if (request.method !== 'POST') return void response.writeHead(405).end()
    if (method === 'initialize')
      return void json(
        200,
        { jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'x', version: '1' } } },
        { 'mcp-session-id': `s${++session}` },
      )
    if (request.headers['mcp-session-id'] !== `s${session}` || session === 0)
      return void json(session === 0 ? 400 : 404, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'no session' } })
    if (id === undefined) return void response.writeHead(202).end()
    json(200, { jsonrpc: '2.0', id, result: { method } })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  open.push(async () => {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  })
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, seen, forget: () => void session++ }
}

const echo = (text: string) => ({ method: 'tools/call', params: { name: 'echo', arguments: { text } } })

it.each(['legacy', 'modern'] as const)('finds the era of a %s server and calls its tools', async (era) => {
  const connection = await connect(await startFixture('servers/raw-http.ts', ['--era', era]))
  expect(connection.era).toBe(era)
  expect(await connection.request(echo('hi'))).toMatchObject({ result: { content: [{ text: 'hi' }] } })
})

it('says that a server cannot be reached', async () => {
  await expect(connect('http://127.0.0.1:1/mcp')).rejects.toMatchObject({
    code: 'unavailable',
    reason: 'connection_failed',
    message: expect.stringContaining('ECONNREFUSED'),
  })
})

it('says that a server refuses the credentials instead of taking it for an old one', async () => {
  const server = await startLegacy((_seen, response) => Boolean(response.writeHead(401).end()))
  await expect(connect(server.url)).rejects.toMatchObject({ reason: 'refused_by_server', message: expect.stringContaining('401') })
})

it('sends the configured headers, the session and the version', async () => {
  const server = await startLegacy()
  const connection = await connect(server.url, { headers: [{ name: 'Authorization', value: 'Bearer x' }] })
  await connection.request({ method: 'tools/list' })
  expect(server.seen.every(({ headers }) => headers.authorization === 'Bearer x')).toBe(true)
  expect(server.seen.at(-1)!.headers).toMatchObject({ 'mcp-session-id': 's1', 'mcp-protocol-version': '2025-06-18' })
})

it('makes a forgotten session anew, once for all requests, with what was subscribed', async () => {
  const server = await startLegacy()
  const connection = await connect(server.url)
  await connection.request({ method: 'resources/subscribe', params: { uri: 'test://a' } })
  const told: string[] = []
  connection.onNotification((method) => told.push(method))
  server.forget()
  const outcomes = await Promise.all([1, 2, 3].map(() => connection.request({ method: 'tools/list' })))
  expect(outcomes).toEqual(Array(3).fill(expect.objectContaining({ result: { method: 'tools/list' } })))
  const bodies = server.seen.map(({ body }) => body.method)
  expect(bodies.filter((method) => method === 'initialize')).toHaveLength(2)
  expect(bodies.filter((method) => method === 'resources/subscribe')).toHaveLength(2)
  expect(told).toContain('notifications/tools/list_changed')
})

it('takes a broken stream up by its last event id', async () => {
  const server = await startLegacy((seen, response) => {
    const stream = () => response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (seen.body.method === 'tools/call') return Boolean(stream().end('id: e1\nretry: 10\ndata:\n\n'))
    if (seen.method !== 'GET' || seen.headers['last-event-id'] !== 'e1') return false
    const call = server.seen.find(({ body }) => body.method === 'tools/call')!
    return Boolean(stream().end(`id: e2\ndata: {"jsonrpc":"2.0","id":${call.body.id},"result":{"content":[]}}\n\n`))
  })
  const connection = await connect(server.url)
  expect(await connection.request(echo('x'))).toMatchObject({ result: { content: [] } })
})

describe('with the dual-era fixture', () => {
  it('forwards progress and ends the stream of a cancelled call', async () => {
    const connection = await connect(await startFixture('servers/raw-http.ts', ['--era', 'modern']))
    const seen: unknown[] = []
    const params = { name: 'progress', arguments: { steps: 3 }, _meta: { progressToken: 7 } }
    await connection.request({ method: 'tools/call', params, onNotification: (_method, note) => seen.push(note['progressToken']) })
    expect(seen).toEqual([7, 7, 7])
    const call = { method: 'tools/call', params: { name: 'sleep', arguments: { ms: 20_000 } } } as Parameters<McpConnection['request']>[0]
    const answer = connection.request(call)
    call.cancel?.('enough')
    await expect(answer).rejects.toMatchObject({ reason: 'call_cancelled' })
  })

  it('repeats arguments in headers where a modern tool wants them', async () => {
    const connection = await connect(await startFixture('conformance-server.ts', ['http']))
    expect(connection.era).toBe('modern')
    const call = { method: 'tools/call', params: { name: 'test_x_mcp_header', arguments: { region: 'us-west1' } } }
    await connection.request({ method: 'tools/list' })
    expect(await connection.request(call)).toHaveProperty('result')
  })

  it('hears of changed lists', async () => {
    const connection = await connect(await startFixture('conformance-server.ts', ['http']))
    const told = new Promise<string>((resolve) => connection.onNotification((method) => resolve(method)))
    const touch = async () => connection.request({ method: 'tools/call', params: { name: 'test_trigger_tool_change', arguments: {} } })
    // The stream of changes opens beside the first calls.
    const again = setInterval(() => void touch().catch(() => {}), 50)
    expect(await told).toBe('notifications/tools/list_changed')
    clearInterval(again)
  })
})
