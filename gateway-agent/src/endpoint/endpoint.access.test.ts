import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import type { AccessGrant } from '@mcpg/proto/access-document'
import { ConfigProject } from '@mcpg/proto/gateway-config'
import { modernVersion } from '../mcp/protocol.ts'
import { keysIn, startEndpoint, until, type RpcAnswer } from './test-endpoint.ts'
import { fixture } from './test-servers.ts'

const node = process.execPath
const tokens: Record<string, AccessGrant[]> = {
  all: [{ on: 'servers' }],
  first: [{ on: 'servers', names: ['first'] }],
  echo: [{ on: 'tools', names: ['first__echo'] }],
  web: [{ on: 'servers', project: 'web' }],
  other: [{ on: 'servers', project: 'other' }],
  project: [{ on: 'projects', names: ['web'] }],
  projects: [{ on: 'projects' }],
  echo2: [{ on: 'tools', names: ['second__echo'] }],
}
const prompts = [
  { name: 'greet', content: 'Hello' },
  { name: 'counted', link: { server: 'second', uri: 'test://counter' } },
]
const web = ConfigProject.parse({ name: 'web', servers: [{ name: 'second' }], prompts })
let gateway: Awaited<ReturnType<typeof startEndpoint>>
let holding = new Set(Object.keys(tokens))
let tellChange = () => {}
const ends = new Map<string, number>()
const clock = fakeClock()

beforeAll(async () => {
  gateway = await startEndpoint({
    clock,
    projects: { list: () => [web], onChange: () => {} },
    access: {
      environment: 'default',
      admit({ headers }) {
        const tokenId = headers.authorization?.replace('Bearer ', '') ?? ''
        const grants = holding.has(tokenId) ? tokens[tokenId] : undefined
        if (!grants) return { status: 401, reason: 'token_refused', detail: 'No.', challenge: 'Bearer realm="mcpg"', isRefusal: true }
        return { principal: `token ${tokenId}`, tokenId, grants, shown: { key: tokenId, grants, until: ends.get(tokenId) ?? Infinity } }
      },
      stillHolds: ({ key, until }) => holding.has(key) && clock.now() < until,
      onChange: (listener) => void (tellChange = listener),
    },
  })
  for (const name of ['first', 'second']) await gateway.fleet.add(name, [node, fixture('servers/list-changes.ts')])
  await until(() => gateway.catalog.index().tools.has('first__echo') && gateway.catalog.index().tools.has('second__echo'))
})
afterAll(() => gateway.stop())

const modern = (token: string, path = '/mcp') => {
  const { send } = gateway.modern(path)
  const headers = { authorization: `Bearer ${token}` }
  const call = async (method: string, params = {}): Promise<RpcAnswer> => (await send(method, params, { headers })).messages.at(-1)!
  return { send: (method: string, params = {}) => send(method, params, { headers }), call }
}
const toolsOf = async (token: string, path?: string) => keysIn(await modern(token, path).call('tools/list'), 'tools')

describe('an endpoint that wants tokens', () => {
  it('answers 401 with a challenge on every path that is no probe', async () => {
    for (const path of ['/mcp', '/mcp/projects/web', '/mcp/servers/first', '/mcp/nothing', '/metrics']) {
      const answer = await gateway.http(path, { method: path === '/metrics' ? 'GET' : 'POST', body: path === '/metrics' ? undefined : {} })
      expect([path, answer.status, answer.headers['www-authenticate']]).toEqual([path, 401, 'Bearer realm="mcpg"'])
      expect(JSON.parse(answer.text)).toMatchObject({ code: 'unauthenticated', reason: 'token_refused' })
    }
    expect((await gateway.http('/healthz', { method: 'GET' })).status).toBe(200)
  })

  it('shows and calls what a token may use, and nothing else is there', async () => {
    const all = await toolsOf('all')
    expect(all).toEqual(expect.arrayContaining(['first__echo', 'second__echo']))
    expect((await toolsOf('first')).every((name) => name.startsWith('first__'))).toBe(true)
    expect(await toolsOf('echo')).toEqual(['first__echo'])
    expect(await toolsOf('web')).toEqual([])
    expect(await modern('echo').call('tools/call', { name: 'first__echo', arguments: { text: 'hi' } })).toMatchObject({
      result: { content: [{ text: 'hi' }] },
    })
    for (const name of ['first__touch', 'second__echo'])
      expect(await modern('echo').call('tools/call', { name, arguments: {} })).toMatchObject({
        error: { message: `Unknown tool: ${name}` },
      })
    // Prompts and resources go with whole servers.
    expect(keysIn(await modern('first').call('resources/list'), 'resources').length).toBeGreaterThan(0)
    expect(keysIn(await modern('echo').call('resources/list'), 'resources')).toEqual([])
    expect(await modern('echo').call('resources/read', { uri: 'test://counter' })).toMatchObject({ error: { code: -32602 } })
  })

  it('shows a caller of the control plane what its grants allow, and everything to one without', async () => {
    const inside = async (grants?: AccessGrant[]) => {
      const request = gateway.endpoint.door.open({
        path: '/mcp',
        headers: { 'content-type': 'application/json', 'mcp-protocol-version': modernVersion, 'mcp-method': 'tools/list' },
        admitted: { principal: 'control-plane:ada', ...(grants && { grants }) },
      })
      request.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: gateway.modern().envelope() } }))
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      return keysIn(JSON.parse(await text(response)) as RpcAnswer, 'tools')
    }
    expect(await inside(tokens['echo'])).toEqual(['first__echo'])
    expect(await inside([])).toEqual([])
    expect(await inside()).toEqual(expect.arrayContaining(['first__echo', 'second__echo']))
  })

  it('shows what a project shows to whoever may use the project, by its own path alone', async () => {
    for (const token of ['project', 'projects']) {
      expect((await toolsOf(token, '/mcp/projects/web')).every((name) => name.startsWith('second__'))).toBe(true)
      expect(await toolsOf(token)).toEqual([])
      expect((await modern(token, '/mcp/servers/second').send('tools/list')).status).toBe(404)
    }
  })

  it('reads out no resource by a prompt of a project to whoever may not use its server', async () => {
    const promptsOf = async (token: string) => keysIn(await modern(token, '/mcp/projects/web').call('prompts/list'), 'prompts')
    const shown = await promptsOf('project')
    expect(shown).toEqual(expect.arrayContaining(['greet', 'counted']))
    const echo = await promptsOf('echo2')
    expect([echo.includes('greet'), echo.includes('counted')]).toEqual([true, false])
    expect(await modern('echo2', '/mcp/projects/web').call('prompts/get', { name: 'counted' })).toHaveProperty('error')
  })

  it('says of a project or server that a token may not use what it says of one that is not there', async () => {
    expect((await toolsOf('web', '/mcp/projects/web')).every((name) => name.startsWith('second__'))).toBe(true)
    for (const path of ['/mcp/projects/web', '/mcp/projects/none', '/mcp/servers/second', '/mcp/servers/none'])
      expect([path, (await modern('other', path).send('tools/list')).status]).toEqual([path, 404])
    expect((await modern('echo', '/mcp/projects/web').send('tools/list')).status).toBe(404)
    expect((await modern('echo', '/mcp/servers/second').send('tools/list')).status).toBe(404)
    expect(await toolsOf('echo', '/mcp/servers/first')).toEqual(['echo'])
    expect(await modern('echo', '/mcp/servers/first').call('tools/call', { name: 'touch', arguments: {} })).toHaveProperty('error')
    expect(await modern('echo', '/mcp/servers/first').call('resources/list')).toMatchObject({ result: { resources: [] } })
  })

  const body = (method: string) => ({
    jsonrpc: '2.0',
    id: 1,
    method,
    params: method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } } : {},
  })
  const as = (token: string, session?: string) => ({
    authorization: `Bearer ${token}`,
    accept: 'application/json, text/event-stream',
    ...(session && { 'mcp-session-id': session }),
  })
  const openSession = async (token: string) => {
    const opened = await gateway.http('/mcp', { headers: as(token), body: body('initialize') })
    const session = String(opened.headers['mcp-session-id'])
    const ping = async (other = token) => (await gateway.http('/mcp', { headers: as(other, session), body: body('ping') })).status
    /** The end of a stream that is read when it resolves. */
    const stream = async () => {
      const ended = gateway.http('/mcp', { method: 'GET', headers: as(token, session) }).catch(() => 'cut')
      await ping()
      return { ended }
    }
    return { ping, stream }
  }

  it('keeps a session for whoever opened it, and ends it with its token', async () => {
    const { ping, stream } = await openSession('first')
    expect([await ping(), await ping('echo'), await ping('all')]).toEqual([200, 404, 404])

    // A stream that is being read ends when the token does, not when somebody writes next.
    const { ended } = await stream()
    holding = new Set(['echo', 'all'])
    tellChange()
    await ended
    expect([await ping(), gateway.endpoint.activeSessions()]).toEqual([401, 0])
    holding = new Set(Object.keys(tokens))
    expect(await ping()).toBe(404)
  })

  it('ends what is open at the end of its token, and not before the end of the newest that was shown', async () => {
    ends.set('first', clock.now() + 90_000)
    const [one, other] = [await openSession('first'), await openSession('echo')]
    const { ended } = await one.stream()
    await clock.advance(60_000)
    expect(await one.ping()).toBe(200)
    // The stream was asked for with the token of before.
    ends.set('first', clock.now() + 600_000)
    expect(await one.ping()).toBe(200)
    await clock.advance(30_000)
    await ended
    expect([await one.ping(), gateway.endpoint.activeSessions()]).toEqual([200, 2])
    await clock.advance(600_000)
    expect(gateway.endpoint.activeSessions()).toBe(1)
    expect(await other.ping()).toBe(200)
    ends.clear()
  })
})
