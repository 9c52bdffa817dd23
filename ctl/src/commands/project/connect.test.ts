import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTimeOf } from '@mcpg/core/process-identity'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { ctl } from '../../../test/env.ts'
import { fakeRest } from '../../../test/fake-rest.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
let folder: string
beforeEach(async () => {
  rest = await fakeRest()
  folder = mkdtempSync(join(tmpdir(), 'mcpg-connect-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'run'))
  rest.put({ kind: 'Project', metadata: { name: 'web' }, spec: {} })
})

const urlOf = (port: number) => `http://127.0.0.1:${port}/mcp/projects/web`
const served = (gateways: Record<string, number>) =>
  rest.setStatus('Project', 'web', {
    gateways: Object.entries(gateways).map(([gateway, port]) => ({ gateway, environment: 'default', servers: ['s'], url: urlOf(port) })),
  })
/** A gateway that a person runs on this machine. */
function runHere(name: string, port: number): void {
  const { pid } = process
  const file = { pid, startTime: startTimeOf(pid), version: '1', startedAt: new Date().toISOString() }
  writeFileSync(join(folder, `run/gateway-${name}.json`), JSON.stringify({ ...file, endpoints: { mcp: `http://127.0.0.1:${port}/mcp` } }))
}
const connect = (client: string, ...more: string[]) =>
  ctl(['project', 'connect', client, '-p', 'web', '--file', join(folder, client), ...more], {
    variables: { ...rest.variables, MCPG_STATE_DIR: folder, PATH: join(folder, 'bin') },
  })
const written = (client: string) => readFileSync(join(folder, client), 'utf8')

test('goes to the gateway of this machine, and to the first by name where there is none', async () => {
  served({ b: 2, a: 1, quickstart: 3 })
  expect((await connect('cursor')).stderr).toContain('gateway: a; others: b, quickstart; --gateway chooses')
  runHere('quickstart', 3)
  const { stdout, stderr } = await connect('cursor')
  expect(stdout).toContain(urlOf(3))
  expect(stderr).toContain('gateway: quickstart; others: a, b; --gateway chooses')
})

test('goes to a gateway that is online rather than to one that is away', async () => {
  served({ a: 1, b: 2 })
  for (const [name, connection] of Object.entries({ a: 'offline', b: 'online' })) {
    const metadata = { name, environment: 'default' }
    rest.put({ kind: 'Gateway', metadata, spec: {} }, { connection })
  }
  expect((await connect('cursor')).stderr).toContain('gateway: b; others: a; --gateway chooses')
  rest.setStatus('Gateway', 'a', { connection: 'online' })
  expect((await connect('cursor')).stderr).toContain('gateway: a; others: b; --gateway chooses')
})

test.each(['cursor', 'codex', 'claude-desktop'])(
  'keeps the gateway that the entry of %s leads to while it serves the project',
  async (client) => {
    served({ z: 9 })
    await connect(client, '--write')
    served({ a: 1, z: 9 })
    const again = await connect(client, '--write')
    expect(again.stdout).toContain('unchanged')
    expect(again.stderr).toContain('gateway: z; others: a')
    expect((await connect(client, '--write', '--gateway', 'a')).stdout).toContain('updated')
    expect(written(client)).toContain(urlOf(1))
    served({ z: 9 })
    expect((await connect(client, '--write')).stdout).toContain('updated')
    expect(written(client)).toContain(urlOf(9))
  },
)

test('says who serves the project where the gateway that is named does not', async () => {
  served({ a: 1, b: 2 })
  expect(await connect('cursor', '--gateway', 'c')).toMatchObject({
    stderr: expect.stringContaining('hint: it is served by a, b') as string,
  })
})

test('starts the program that runs now where PATH has no mcpg-ctl, and says so', async () => {
  served({ a: 1 })
  const without = await connect('claude-desktop', '--write')
  const entry = () => (JSON.parse(written('claude-desktop')) as { mcpServers: { web: { command: string; args: string[] } } }).mcpServers.web
  expect(entry().command).toBe(process.execPath)
  expect(entry().args.slice(1)).toEqual(['mcp', '--url', urlOf(1)])
  expect(without.stderr).toContain('no mcpg-ctl is on PATH')
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/mcpg-ctl'), '')
  chmodSync(join(folder, 'bin/mcpg-ctl'), 0o755)
  await connect('claude-desktop', '--write')
  expect(entry()).toEqual({ command: 'mcpg-ctl', args: ['mcp', '--url', urlOf(1)] })
})
