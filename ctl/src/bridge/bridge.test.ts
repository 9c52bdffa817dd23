import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { testEnv } from '../../test/env.ts'
import { until } from '../../test/until.ts'
import { runProgram } from '../program.ts'
import type { Message } from './messages.ts'

type Request = { method: string; headers: IncomingMessage['headers']; message: Message | undefined; closed: () => boolean }

/** An endpoint that answers by `respond` and remembers what it was asked. */
async function endpoint(respond: (request: Request, response: ServerResponse) => void) {
  const requests: Request[] = []
  const server = createServer((incoming, response) => {
    void incoming.toArray().then((chunks) => {
      let isClosed = false
      response.once('close', () => (isClosed = true))
      const text = chunks.join('')
      const request = {
        method: incoming.method ?? '',
        headers: incoming.headers,
        message: text ? (JSON.parse(text) as Message) : undefined,
        closed: () => isClosed,
      }
      requests.push(request)
      respond(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, requests }
}

function client(url: string) {
  const { env, stdout, stderr } = testEnv()
  const input = new PassThrough()
  const done = runProgram(['mcp', '--url', url], { ...env, stdin: input })
  const answers = () =>
    stdout()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Message)
  return {
    send: (message: Record<string, unknown>) => input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`),
    raw: (line: string) => input.write(`${line}\n`),
    answer: (id: number | null) => until(`the answer ${id}`, () => answers().find((one) => one.id === id && !one.method)),
    answers,
    end: () => {
      input.end()
      return done
    },
    stderr,
  }
}

const json = (response: ServerResponse, body: unknown, headers: Record<string, string> = {}) =>
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
const initialize = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
}
const meta = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }

test('a legacy client gets a session, the messages of its streams and an orderly end', async () => {
  const { url, requests } = await endpoint(({ method, message }, response) => {
    if (method === 'DELETE') return response.writeHead(200).end()
    if (method === 'GET')
      return response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n')
    if (message?.method === 'initialize')
      return json(response, { jsonrpc: '2.0', id: message.id, result: { protocolVersion: '2025-06-18' } }, { 'mcp-session-id': 's1' })
    if (message?.id === undefined) return response.writeHead(202).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(
      `data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { ok: true } })}\n\n`,
    )
  })
  const { send, answer, answers, end } = client(url)
  send(initialize)
  send({ method: 'notifications/initialized' })
  send({ id: 2, method: 'tools/call', params: { name: 'x' } })
  expect(await answer(2)).toMatchObject({ result: { ok: true } })
  await until('the stream spoke', () => answers().some(({ method }) => method === 'notifications/tools/list_changed'))
  expect(answers().some(({ method }) => method === 'notifications/progress')).toBe(true)
  expect(requests.find(({ message }) => message?.id === 2)?.headers).toMatchObject({
    'mcp-session-id': 's1',
    'mcp-protocol-version': '2025-06-18',
  })
  expect(await end()).toBe(0)
  expect(requests.at(-1)).toMatchObject({ method: 'DELETE', headers: { 'mcp-session-id': 's1' } })
})

test('a session the gateway has lost is opened anew and the call is made once more', async () => {
  let sessions = 0
  const { url, requests } = await endpoint(({ method, message, headers }, response) => {
    if (method !== 'POST') return response.writeHead(405).end()
    if (message?.method === 'initialize')
      return json(
        response,
        { jsonrpc: '2.0', id: message.id, result: { protocolVersion: '2025-11-25' } },
        { 'mcp-session-id': `s${++sessions}` },
      )
    if (message?.id === undefined) return response.writeHead(202).end()
    if (headers['mcp-session-id'] === 's1') return response.writeHead(404).end()
    json(response, { jsonrpc: '2.0', id: message.id, result: { session: headers['mcp-session-id'] } })
  })
  const { send, answer, answers, end } = client(url)
  send(initialize)
  send({ method: 'notifications/initialized' })
  send({ id: 2, method: 'ping' })
  send({ id: 3, method: 'ping' })
  expect(await answer(2)).toMatchObject({ result: { session: 's2' } })
  expect(await answer(3)).toMatchObject({ result: { session: 's2' } })
  expect(answers().filter(({ id }) => id === 1)).toHaveLength(1)
  expect(requests.filter(({ message }) => message?.method === 'initialize')).toHaveLength(2)
  await end()
})

test('a modern request carries its headers, and its cancellation closes the response', async () => {
  const { url, requests } = await endpoint(({ message }, response) => {
    const tools = [{ name: 'ü', inputSchema: { properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } } }]
    if (message?.method === 'tools/list') json(response, { jsonrpc: '2.0', id: message.id, result: { tools } })
    else if (message?.method === 'slow') response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    else json(response, { jsonrpc: '2.0', id: message?.id, result: {} })
  })
  const { send, answer, answers, end } = client(url)
  send({ id: 1, method: 'tools/list', params: meta })
  await answer(1)
  send({ id: 2, method: 'tools/call', params: { ...meta, name: 'ü', arguments: { region: 'eu' } } })
  await answer(2)
  expect(requests[1]?.headers).toMatchObject({
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': `=?base64?${Buffer.from('ü').toString('base64')}?=`,
    'mcp-param-region': 'eu',
  })
  send({ id: 3, method: 'slow', params: meta })
  const slow = await until('it was asked', () => requests.find(({ message }) => message?.id === 3))
  send({ method: 'notifications/cancelled', params: { requestId: 3 } })
  await until('the response is closed', slow.closed)
  await end()
  expect(answers().filter(({ id }) => id === 3)).toEqual([])
  expect(requests.some(({ message }) => message?.method === 'notifications/cancelled')).toBe(false)
})

test('every request gets an answer: errors of the gateway pass, what is no answer becomes one', async () => {
  const { url } = await endpoint(({ message }, response) => {
    if (message?.id === 1)
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end('{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"no"}}')
    else if (message?.id === 2) response.writeHead(502).end('<html>')
    else if (message?.id === 3) response.writeHead(200, { 'content-type': 'text/event-stream' }).end()
    else response.destroy()
  })
  const { send, raw, answer, end } = client(url)
  for (const id of [1, 2, 3, 4]) send({ id, method: 'x', params: meta })
  expect(await answer(1)).toMatchObject({ error: { code: -32022 } })
  for (const id of [2, 3, 4]) expect(await answer(id)).toMatchObject({ error: { code: -32603 } })
  raw('no JSON')
  expect(await answer(null)).toMatchObject({ error: { code: -32700 } })
  expect(await end()).toBe(0)
})

test('without a gateway on this machine it says how to name one', async () => {
  const { env, stderr } = testEnv({ variables: { MCPG_STATE_DIR: '/nonexistent/state' } })
  expect(await runProgram(['mcp'], env)).toBe(4)
  expect(stderr()).toMatch(/No gateway runs[\s\S]*--url \(MCPG_URL\)/)
})
