import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client as ClientV2, StreamableHTTPClientTransport as HttpTransportV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioTransportV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioTransportV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as HttpTransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { closeLater, shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { fastTimers, programFile, type Gateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { fixture, startFleet } from '../scenarios/fleet.ts'
import { published } from '../scenarios/published.ts'
import { secondAgent } from '../scenarios/second-agent.ts'
import type { Api } from '../harness/api.ts'

const env = { MCPG_TIMERS: fastTimers }
const info = { name: 'story', version: '1' }

it('lets a second agent join by URL, run published servers, come back with and without the URL, and nobody else use it', async () => {
  const { starts, facts, reuse, grpcPort } = await secondAgent({ env })
  expect(starts).toEqual(['serves both', 'serves both', 'serves both'])
  expect(facts.stdout).toMatch(/second/)
  expect(facts.stdout).toContain(grpcPort)
  expect(reuse.code).toBe(6)
  expect(reuse.stderr).toMatch(/token was already used/)
})

describe('everything, filesystem and memory behind one endpoint', () => {
  let gateway: Gateway
  let rest: Api
  let shared: string

  beforeAll(async () => {
    await shareWithFile(async () => {
      shared = join(temporaryFolder(), 'shared')
      mkdirSync(shared)
      writeFileSync(join(shared, 'note.txt'), 'written by the story')
      ;({ gateway, rest } = await startFleet(
        [
          published('everything'),
          published('filesystem', [shared]),
          published('memory', [], [{ name: 'MEMORY_FILE_PATH', value: join(shared, '../memory.json') }]),
        ],
        env,
      ))
    })
  }, 120_000)

  const bridge = () => ({ command: process.execPath, args: [programFile, 'mcp', '--url', gateway.endpoint], stderr: 'pipe' as const })
  const url = () => new URL(gateway.endpoint)

  it.each([
    ['the v1 client over HTTP', () => v1(new HttpTransportV1(url()))],
    ['the v1 client over the stdio bridge', () => v1(new StdioTransportV1(bridge()))],
    ['the v2 client over HTTP', () => v2('legacy', new HttpTransportV2(url()))],
    ['the v2 client over HTTP, pinned to 2026-07-28', () => v2({ pin: '2026-07-28' }, new HttpTransportV2(url()))],
    ['the v2 client over HTTP, finding out', () => v2('auto', new HttpTransportV2(url()))],
    ['the v2 client over the stdio bridge', () => v2('legacy', new StdioTransportV2(bridge()))],
    ['the v2 client over the stdio bridge, pinned to 2026-07-28', () => v2({ pin: '2026-07-28' }, new StdioTransportV2(bridge()))],
  ])('serve %s', async (_name, connect) => {
    const client = await connect()

    // 1 the tools of all three, each under the name of its server
    const names = (await client.listTools()).tools.map((tool) => tool.name)
    expect(names).toEqual(expect.arrayContaining(['everything__echo', 'filesystem__read_text_file', 'memory__read_graph']))

    // 2 a call to each
    expect(await call(client, 'everything__get-sum', { a: 2, b: 40 })).toContain('42')
    expect(await call(client, 'filesystem__read_text_file', { path: join(shared, 'note.txt') })).toContain('written by the story')
    expect(await call(client, 'memory__read_graph', {})).toContain('entities')

    // 3 what a tool refuses is its own answer; what does not exist is ours
    const refused = await client.callTool({ name: 'filesystem__read_text_file', arguments: { path: '/etc/hostname' } })
    expect(refused.isError).toBe(true)
    await expect(client.callTool({ name: 'everything__no-such-tool', arguments: {} })).rejects.toThrow(/no-such-tool/)

    // 4 prompts, resources and completion
    expect((await client.getPrompt({ name: 'everything__args-prompt', arguments: { city: 'Oslo' } })).messages[0]?.content).toMatchObject({
      text: expect.stringContaining('Oslo') as string,
    })
    const [resource] = (await client.listResources()).resources
    expect((await client.readResource({ uri: resource?.uri ?? '' })).contents).toHaveLength(1)
    expect((await client.readResource({ uri: 'demo://resource/dynamic/text/7' })).contents).toHaveLength(1)
    const completed = await client.complete({
      ref: { type: 'ref/prompt', name: 'everything__completable-prompt' },
      argument: { name: 'department', value: 'E' },
    })
    expect(completed.completion.values).toContain('Engineering')

    // 5 progress on the way to a slow answer
    const progress: number[] = []
    const slow = { name: 'everything__trigger-long-running-operation', arguments: { duration: 1, steps: 2 } }
    const onprogress = (report: { progress: number }) => void progress.push(report.progress)
    if (client instanceof ClientV1) await client.callTool(slow, undefined, { onprogress })
    else await client.callTool(slow, { onprogress })
    expect(progress).toContain(1)
  })

  it('tell a client that is connected when a server is added', async () => {
    const client = await v1(new HttpTransportV1(url()))
    let told = 0
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void told++)
    await rest.servers(fixture('added', 'echo'))
    await until('it was told', () => told > 0)
    await until('the new tool is listed', async () => (await client.listTools()).tools.some(({ name }) => name === 'added__echo'))
    expect(await call(client, 'added__echo', { text: 'new' })).toBe('new')
    await rest.remove('servers', 'added')
  })
})

/** A package from this workspace: what is shown is the way to its tools, not the registry. */
type AnyClient = ClientV1 | ClientV2

async function v1(transport: HttpTransportV1 | StdioTransportV1): Promise<ClientV1> {
  const client = new ClientV1(info)
  closeLater(() => client.close())
  await client.connect(transport as Parameters<ClientV1['connect']>[0])
  return client
}

async function v2(mode: 'legacy' | 'auto' | { pin: string }, transport: HttpTransportV2 | StdioTransportV2): Promise<ClientV2> {
  const client = new ClientV2(info, { versionNegotiation: { mode } })
  closeLater(() => client.close())
  await client.connect(transport)
  expect(client.getNegotiatedProtocolVersion()).toBe(mode === 'legacy' ? '2025-11-25' : '2026-07-28')
  return client
}

async function call(client: AnyClient, name: string, args: Record<string, unknown>): Promise<string> {
  const { content } = (await client.callTool({ name, arguments: args })) as { content: { text: string }[] }
  return content[0]?.text ?? ''
}
