import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keysIn, startEndpoint, textIn, until, type RpcAnswer } from './test-endpoint.ts'
import { fixture } from './test-servers.ts'

let gateway: Awaited<ReturnType<typeof startEndpoint>>
const node = process.execPath

beforeAll(async () => {
  gateway = await startEndpoint()
  // Two of the same kind: every resource of the second collides with one of the first.
  await gateway.fleet.add('first', [node, fixture('servers/list-changes.ts')])
  await gateway.fleet.add('second', [node, fixture('servers/list-changes.ts')])
  await gateway.fleet.add('fixture', [node, fixture('conformance-server.ts'), 'stdio', '--era', 'legacy'])
  await gateway.fleet.add('modern', [node, fixture('servers/modern-only.ts')])
  gateway.fleet.addUnavailable('broken', 'CrashLoop: exit code 1')
  await until(() => gateway.catalog.index().tools.has('second__touch') && gateway.catalog.index().prompts.size > 0)
})
afterAll(() => gateway.stop())

it('names tools and prompts server__name, in an order that stays', async () => {
  const client = await gateway.legacy()
  const tools = keysIn(await client.call('tools/list'), 'tools')
  expect(tools).toEqual(expect.arrayContaining(['first__echo', 'second__echo', 'modern__echo', 'fixture__test_simple_text']))
  expect(keysIn(await client.call('tools/list'), 'tools')).toEqual(tools)
  const servers = tools.map((name) => name.split('__')[0]!)
  expect(servers).toEqual([...servers].sort())
  expect(keysIn(await client.call('prompts/list'), 'prompts')).toContain('fixture__test_simple_prompt')
})

it('routes calls, prompts and completions by these names', async () => {
  const client = await gateway.legacy()
  expect(await client.textOf('second__echo', { text: 'two' })).toBe('two')
  expect(await client.textOf('first__pid')).not.toBe(await client.textOf('second__pid'))
  expect(await client.call('prompts/get', { name: 'fixture__test_simple_prompt' })).toHaveProperty('result.messages')
  const ref = { type: 'ref/prompt', name: 'fixture__test_prompt_with_arguments' }
  expect(await client.call('completion/complete', { ref, argument: { name: 'arg1', value: '' } })).toHaveProperty('result.completion')
  const template = { type: 'ref/resource', uri: 'test://template/{id}/data' }
  expect(await client.call('completion/complete', { ref: template, argument: { name: 'id', value: '' } })).toHaveProperty('result')
})

it('shortens long names in a way that stays', async () => {
  const client = await gateway.legacy()
  const name = `a-tool-${'x'.repeat(60)}`
  await client.textOf('first__add_tool', { name })
  const find = async () => keysIn(await client.call('tools/list'), 'tools').find((one) => one.startsWith('first__a-tool-x'))
  await until(async () => (await find()) !== undefined)
  const exposed = (await find())!
  expect(exposed).toMatch(/^first__a-tool-x+_[0-9a-f]{8}$/)
  expect(exposed).toHaveLength(64)
  expect(await client.textOf(exposed)).toBe(`called ${name}`)
})

describe('a name nobody has', () => {
  it.each(['nothing__here', 'first__missing', 'echo', '__echo', ''])('is an unknown tool: %j', async (name) => {
    const client = await gateway.legacy()
    expect(await client.call('tools/call', { name, arguments: {} })).toMatchObject({
      error: { code: -32602, message: `Unknown tool: ${name}` },
    })
  })

  it('of a server that is away says which server, why, and what to do', async () => {
    const client = await gateway.legacy()
    const answer = await client.call('tools/call', { name: 'broken__anything', arguments: {} })
    expect(answer.result).toMatchObject({ isError: true })
    expect(textIn(answer)).toMatch(/"broken".*CrashLoop.*mcpg-ctl describe server broken/)
  })
})

describe('resources', () => {
  it('keep their URIs; the same one of a second server is listed by alias, read and watched by it', async () => {
    const client = await gateway.legacy()
    const uris = keysIn(await client.call('resources/list'), 'resources', 'uri')
    expect(uris).toEqual(expect.arrayContaining(['test://counter', 'mcpg+second:test://counter', 'test://static-text']))
    await client.textOf('second__touch', { uri: 'test://counter' })
    const textAt = async (uri: string) =>
      ((await client.call('resources/read', { uri })).result!['contents'] as { uri: string; text: string }[])[0]!
    expect(await textAt('test://counter')).toMatchObject({ uri: 'test://counter', text: 'touched 0 times' })
    expect(await textAt('mcpg+second:test://counter')).toMatchObject({ uri: 'mcpg+second:test://counter', text: 'touched 1 times' })

    const told: RpcAnswer[] = []
    const stream = await client.listen((message) => told.push(message))
    await client.call('resources/subscribe', { uri: 'mcpg+second:test://counter' })
    await client.textOf('second__touch', { uri: 'test://counter' })
    await until(() =>
      told.some(({ method, params }) => method === 'notifications/resources/updated' && params?.['uri'] === 'mcpg+second:test://counter'),
    )
    stream.close()
    await stream.ended
  })

  it('follow templates, and an unknown one is an error that names it', async () => {
    const client = await gateway.legacy()
    expect(await client.call('resources/read', { uri: 'test://template/9/data' })).toHaveProperty('result.contents')
    expect(await client.call('resources/read', { uri: 'nobody://has/this' })).toMatchObject({
      error: { code: -32602, data: { uri: 'nobody://has/this' } },
    })
  })
})

it('tells who it is, what works, and what each server says of itself', async () => {
  const { opened } = await gateway.legacy()
  expect(opened.result).toMatchObject({
    serverInfo: { name: 'mcpg', title: 'test-gateway' },
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      completions: {},
      logging: {},
    },
  })
  expect(opened.result!['instructions']).toMatch(/^test-gateway serves 5 MCP servers.*\n\n## fixture\nA server that answers everything/)
})

it('reports what each server offers under both names, and tells when that changes', async () => {
  const offered = gateway.catalog.inventory('fixture')!
  expect(offered).toMatchObject({
    serverInfoName: 'mcpg-conformance-fixture',
    serverInfoVersion: '1.0.0',
    instructions: expect.any(String),
  })
  expect(offered.items).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        kind: 'tool',
        name: 'test_simple_text',
        exposedName: 'fixture__test_simple_text',
        definition: expect.objectContaining({ inputSchema: expect.any(Object) }),
      }),
      expect.objectContaining({ kind: 'resource_template', name: 'test://template/{id}/data', exposedName: 'test://template/{id}/data' }),
    ]),
  )
  expect(gateway.catalog.inventory('broken')).toBeUndefined()
  const changed: string[] = []
  const unsubscribe = gateway.catalog.onInventory((server) => changed.push(server))
  await (await gateway.legacy()).textOf('first__add_tool', { name: 'reported' })
  await until(() => changed.includes('first'))
  expect(gateway.catalog.inventory('first')!.items.map(({ name }) => name)).toContain('reported')
  unsubscribe()
})

describe('when servers come and go', () => {
  it('a client hears of it and lists what is there now', async () => {
    const client = await gateway.legacy()
    const told: RpcAnswer[] = []
    const stream = await client.listen((message) => told.push(message))
    await gateway.fleet.add('late', [node, fixture('servers/echo.ts')])
    await until(() => told.some(({ method }) => method === 'notifications/tools/list_changed'))
    expect(keysIn(await client.call('tools/list'), 'tools')).toContain('late__echo')
    told.length = 0
    await gateway.fleet.remove('late')
    await until(() => told.some(({ method }) => method === 'notifications/tools/list_changed'))
    expect(keysIn(await client.call('tools/list'), 'tools')).not.toContain('late__echo')
    stream.close()
    await stream.ended
  })

  it('one that dies in a call says so, keeps its last list marked stale, and is found again', async () => {
    await gateway.fleet.add('fragile', [node, fixture('servers/hangs-on-call.ts')])
    const client = await gateway.legacy()
    await until(() => gateway.catalog.index().tools.has('fragile__hang'))
    const call = client.call('tools/call', { name: 'fragile__hang', arguments: {} })
    await until(() => gateway.fleet.acquired('fragile') > 0)
    gateway.fleet.kill('fragile')
    expect(textIn(await call)).toContain('"fragile" gave no answer')
    await gateway.fleet.disconnect('fragile', 'crash_loop')
    const listed = await client.call('tools/list')
    expect(keysIn(listed, 'tools')).toContain('fragile__hang')
    expect(listed.result!['_meta']).toEqual({ 'dev.mcpg/staleServers': ['fragile'] })
    expect(textIn(await client.call('tools/call', { name: 'fragile__echo', arguments: { text: 'x' } }))).toContain('crash_loop')
    await gateway.fleet.connect('fragile')
    expect(await client.textOf('fragile__echo', { text: 'back' })).toBe('back')
    await gateway.fleet.remove('fragile')
  })

  it('a silent one delays nobody beyond the wait for lists', async () => {
    const own = await startEndpoint({ timers: { listCache: 1, listWait: 100 } })
    await own.fleet.add('echo', [node, fixture('servers/echo.ts')])
    await own.fleet.add('silent', [node, fixture('servers/slow-list.ts')])
    const client = await own.legacy()
    await until(() => own.catalog.book('silent')?.lists.tools.isKnown() === true)
    const start = performance.now()
    const listed = await client.call('tools/list')
    expect(performance.now() - start).toBeLessThan(1_000)
    expect(keysIn(listed, 'tools')).toEqual(expect.arrayContaining(['echo__echo', 'silent__echo']))
    expect((listed.result!['_meta'] as { 'dev.mcpg/staleServers': string[] })['dev.mcpg/staleServers']).toContain('silent')
    expect(await client.textOf('silent__echo', { text: 'calls work' })).toBe('calls work')
    await own.stop()
  })
})
