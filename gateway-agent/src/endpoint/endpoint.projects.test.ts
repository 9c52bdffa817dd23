import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigProject, type ConfigProjectInput } from '@mcpg/proto/gateway-config'
import { keysIn, startEndpoint, until, type RpcAnswer } from './test-endpoint.ts'
import { fixture } from './test-servers.ts'

let gateway: Awaited<ReturnType<typeof startEndpoint>>
const node = process.execPath
let running: ConfigProject[] = []
const listeners = new Set<() => void>()

/** What a gateway does when another config runs. */
function run(...projects: ConfigProjectInput[]): void {
  running = projects.map((project) => ConfigProject.parse(project))
  for (const listener of listeners) listener()
}

const web: ConfigProjectInput = {
  name: 'web',
  servers: [{ name: 'first', tools: { deny: ['pid'] }, instructions: 'Only ask first.' }, { name: 'absent' }],
  tools: { allow: ['first__*'], deny: ['*__touch'] },
  instructions: 'The web team.',
  prompt: 'Be brief.',
  prompts: [
    { name: 'rules', description: 'House rules', priority: 10, content: 'None.' },
    { name: 'counter', link: { server: 'second', uri: 'test://counter' } },
    { name: 'broken' },
    { name: 'gone', link: { server: 'nowhere', uri: 'test://x' } },
  ],
}

beforeAll(async () => {
  gateway = await startEndpoint({ projects: { list: () => running, onChange: (listener) => void listeners.add(listener) } })
  await gateway.fleet.add('first', [node, fixture('servers/list-changes.ts')])
  await gateway.fleet.add('second', [node, fixture('servers/list-changes.ts')])
  await until(() => gateway.catalog.index().tools.has('first__touch') && gateway.catalog.index().tools.has('second__touch'))
  run(web)
})
afterAll(() => gateway.stop())

describe.each(['legacy', 'modern'] as const)('a %s client of a project', (era) => {
  const client = async () => (era === 'legacy' ? await gateway.legacy('/mcp/projects/web') : gateway.modern('/mcp/projects/web'))

  it('sees the tools of its servers that the policy shows, and calls no other', async () => {
    const { call } = await client()
    const tools = keysIn(await call('tools/list'), 'tools')
    expect(tools).toContain('first__echo')
    expect(tools.filter((name) => !name.startsWith('first__') || /__(touch|pid)$/.test(name))).toEqual([])
    expect(await call('tools/call', { name: 'first__echo', arguments: { text: 'hi' } })).toMatchObject({
      result: { content: [{ text: 'hi' }] },
    })
    for (const name of ['first__touch', 'first__pid', 'second__echo', 'nowhere__x'])
      expect(await call('tools/call', { name, arguments: {} })).toMatchObject({ error: { code: -32602, message: `Unknown tool: ${name}` } })
  })

  it('lists the prompts of the project first and gets their text, that of a resource of another project too', async () => {
    const { call } = await client()
    const listed = await call('prompts/list')
    expect(keysIn(listed, 'prompts').slice(0, 4)).toEqual(['rules', 'counter', 'broken', 'gone'])
    expect(await call('prompts/get', { name: 'rules' })).toMatchObject({
      result: {
        description: 'House rules',
        messages: [{ role: 'user', content: { type: 'text', text: 'None.' } }],
        ...(era === 'modern' && { resultType: 'complete', _meta: { 'io.modelcontextprotocol/serverInfo': { title: 'web' } } }),
      },
    })
    expect(await call('prompts/get', { name: 'counter' })).toMatchObject({
      result: { messages: [{ content: { text: expect.stringContaining('touched') } }] },
    })
    expect(await call('prompts/get', { name: 'gone' })).toMatchObject({
      error: {
        message: 'The prompt gone is a link to test://x of the server nowhere: that server does not run on this gateway.',
      },
    })
    expect(await call('prompts/get', { name: 'broken' })).toMatchObject({
      error: { message: 'The prompt broken is a link that leads nowhere now.' },
    })
    expect(await call('prompts/get', { name: 'missing' })).toMatchObject({ error: { message: 'Unknown prompt: missing' } })
    expect(
      await call('completion/complete', { ref: { type: 'ref/prompt', name: 'rules' }, argument: { name: 'a', value: '' } }),
    ).toMatchObject({ result: { completion: { values: [] } } })
  })

  it('lists resources of the project under their own URIs, and reads no other', async () => {
    const { call } = await client()
    const uris = keysIn(await call('resources/list'), 'resources', 'uri')
    expect(uris).toContain('test://counter')
    expect(uris.filter((uri) => uri.startsWith('mcpg+'))).toEqual([])
    expect(await call('resources/read', { uri: 'test://counter' })).toHaveProperty('result.contents')
    expect(await call('resources/read', { uri: 'mcpg+second:test://counter' })).toHaveProperty('error.code', -32602)
  })
})

it('tells its instructions, its prompt and those of its servers, in initialize and in server/discover', async () => {
  const { opened } = await gateway.legacy('/mcp/projects/web')
  const discovered = await gateway.modern('/mcp/projects/web').call('server/discover')
  for (const { result } of [opened, discovered])
    expect(result!['instructions']).toBe('The web team.\n\nBe brief.\n\n## first\nOnly ask first.')
  expect(opened.result).toMatchObject({ serverInfo: { name: 'mcpg', title: 'web' } })
})

it('tells clients of both eras when its policy changes, and those of other paths nothing', async () => {
  const told: Record<string, RpcAnswer[]> = { web: [], all: [], modern: [] }
  const legacy = await gateway.legacy('/mcp/projects/web')
  const all = await gateway.legacy('/mcp')
  const streams = [await legacy.listen((message) => told['web']!.push(message)), await all.listen((message) => told['all']!.push(message))]
  const hangUp = new AbortController()
  const listening = gateway
    .modern('/mcp/projects/web')
    .send(
      'subscriptions/listen',
      { notifications: { toolsListChanged: true } },
      { onMessage: (message) => told['modern']!.push(message), signal: hangUp.signal },
    )
    .catch(() => undefined)
  await until(() => told['modern']!.length === 1)

  run({ ...web, tools: { allow: ['first__touch'] } })
  await until(() => told['web']!.length === 1 && told['modern']!.length === 2)
  expect(told['web']).toMatchObject([{ method: 'notifications/tools/list_changed' }])
  expect(told['modern']![1]).toMatchObject({ method: 'notifications/tools/list_changed' })
  expect(keysIn(await legacy.call('tools/list'), 'tools')).toEqual(['first__touch'])
  run({ ...web, tools: { allow: ['first__touch'] }, prompts: [] })
  await until(() => told['web']!.length === 2)
  expect(told['web']![1]).toMatchObject({ method: 'notifications/prompts/list_changed' })
  await all.call('ping')
  expect(told['all']).toEqual([])

  for (const { close } of streams) close()
  hangUp.abort()
  await Promise.all([listening, ...streams.map(({ ended }) => ended)])
  run(web)
})

it('is not there when the config does not have it, and ends with it', async () => {
  const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } }
  expect((await gateway.http('/mcp/projects/none', { body })).status).toBe(404)
  const legacy = await gateway.legacy('/mcp/projects/web')
  run()
  expect((await legacy.send('tools/list')).status).toBe(404)
  run(web)
  expect((await legacy.send('tools/list')).status).toBe(404)
})
