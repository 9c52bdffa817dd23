import { text } from 'node:stream/consumers'
import { afterEach, expect, it } from 'vitest'
import { modernVersion, type Params } from '../mcp/protocol.ts'
import { startEndpoint, until } from './test-endpoint.ts'
import { fixture } from './test-servers.ts'

let gateway: Awaited<ReturnType<typeof startEndpoint>>
afterEach(() => gateway.stop())

async function start(options: Parameters<typeof startEndpoint>[0] = {}): Promise<void> {
  gateway = await startEndpoint(options)
  await gateway.fleet.add('echo', [process.execPath, fixture('servers/echo.ts')])
}

/** A modern request from inside. */
function ask(name: string, args: Params) {
  const request = gateway.endpoint.door.open({
    path: '/mcp/servers/echo',
    headers: { 'content-type': 'application/json', 'mcp-protocol-version': modernVersion, 'mcp-method': 'tools/call', 'mcp-name': name },
    admitted: { principal: 'somebody' },
  })
  const _meta = gateway.modern().envelope()
  request.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta } }))
  const answer = new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => text(response).then((body) => resolve({ status: response.statusCode, body }), reject))
  })
  return { request, answer }
}

it('leads to the very answer that a client outside gets', async () => {
  await start()
  const inside = await ask('echo', { text: 'hi' }).answer
  const outside = await gateway.modern('/mcp/servers/echo').send('tools/call', { name: 'echo', arguments: { text: 'hi' } })
  expect(inside.status).toBe(200)
  expect(JSON.parse(inside.body)).toEqual({ ...outside.messages[0], id: 1 })
})

it('cancels the call at its server when it is left', async () => {
  await start()
  const { request, answer } = ask('sleep', { ms: 60_000 })
  const broken = answer.catch((error: Error) => error)
  await until(() => gateway.fleet.acquired('echo') > 0)
  request.destroy()
  expect(await broken).toBeInstanceOf(Error)
  // The supervisor hears that the instance is free again.
  await until(() => gateway.fleet.acquired('echo') === 0)
})

it('closes with the endpoint', async () => {
  await start()
  const { answer } = ask('sleep', { ms: 60_000 })
  const broken = answer.catch((error: Error) => error)
  await until(() => gateway.fleet.acquired('echo') > 0)
  await gateway.endpoint.stop()
  expect(await broken).toBeInstanceOf(Error)
})
