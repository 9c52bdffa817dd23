import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConfigServerInput } from '@mcpg/proto/gateway-config'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Servers } from './supervision.ts'
import { apply, call, desired, fixture, openSupervisor } from './test-servers/open-supervisor.ts'
import { startRegistry, type Published } from './test-servers/registry.ts'

/** Nobody listens on the discard port. */
const deadRegistry = 'http://127.0.0.1:9/'
const opened: { close(): Promise<void> }[] = []
const environment = { ...process.env }
let cacheDir: string

beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), 'mcpg-cache-'))
  // Whoever runs the tests has a warm one; what is counted here is downloads.
  delete process.env['npm_config_cache']
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
  rmSync(cacheDir, { recursive: true, force: true })
  process.env = { ...environment }
})

function open(more: Parameters<typeof openSupervisor>[1] = {}) {
  const one = openSupervisor({}, { cacheDir, ...more })
  opened.push(one)
  return one
}

async function registry(packages: Record<string, Record<string, Published>>) {
  const one = await startRegistry(packages)
  opened.push(one)
  process.env['npm_config_registry'] = one.url
  return one
}

/** A published server: one file that answers as `no-list` would, with tools that say which version it is. */
function server(version: string, manifest: Record<string, unknown> = {}): Published {
  return { manifest: { bin: { tiny: 'server.js' }, ...manifest }, files: { 'server.js': tinyServer(version) } }
}

const tiny = (
  more: Partial<NonNullable<ConfigServerInput['package']>> = {},
  server: Partial<ConfigServerInput> = {},
): ConfigServerInput => ({
  name: 'tiny',
  package: { runtime: 'node', name: 'tiny', ...more },
  ...server,
})

const versionOf = (servers: Servers, name = 'tiny') => servers.report().find((report) => report.name === name)?.resolvedVersion

async function failureOf(servers: Servers, input: ConfigServerInput) {
  const change = servers.change([desired(input)], new Set([input.name]))
  const { failures } = await change.proven
  await change.abort()
  return failures[0]
}

describe('a Node package', () => {
  it('is installed from the real registry once, and starts without any network afterwards', { timeout: 120_000 }, async () => {
    const everything: ConfigServerInput = {
      name: 'everything',
      package: { runtime: 'node', name: '@modelcontextprotocol/server-everything', version: '2026.8.31' },
    }
    const first = open()
    await apply(first.servers, everything)
    expect(versionOf(first.servers, 'everything')).toBe('2026.8.31')
    expect(await call(first.servers, 'everything', 'echo', { message: 'hello' })).toContain('hello')
    await first.servers.stop()
    process.env['npm_config_registry'] = deadRegistry
    const second = open()
    await apply(second.servers, everything)
    expect(await call(second.servers, 'everything', 'echo', { message: 'again' })).toContain('again')
    expect(readdirSync(join(cacheDir, 'packages')).filter((name) => name.startsWith('.tmp'))).toEqual([])
  })

  it('without a version is resolved once, until upgrades is raised, and a rollback finds the old one', async () => {
    const { packages } = await registry({ tiny: { '1.0.0': server('one') } })
    const { servers, folder } = open()
    await apply(servers, tiny())
    expect([versionOf(servers), await call(servers, 'tiny', 'version')]).toEqual(['1.0.0', 'one'])
    packages['tiny'] = { '1.0.0': server('one'), '2.0.0': server('two') }
    await apply(servers, tiny({}, { restarts: 1 }))
    expect(versionOf(servers)).toBe('1.0.0')
    await apply(servers, tiny({}, { upgrades: 1 }))
    expect([versionOf(servers), await call(servers, 'tiny', 'version')]).toEqual(['2.0.0', 'two'])
    await apply(servers, tiny())
    expect(versionOf(servers)).toBe('1.0.0')
    const kept = JSON.parse(readFileSync(join(folder, 'resolutions.json'), 'utf8')) as Record<string, object>
    expect(kept['node:tiny@#0']).toEqual({ version: '1.0.0', integrity: expect.stringMatching(/^sha512-/) })
  })

  it('wanted by two servers and two agents at once is downloaded once', async () => {
    const { downloads } = await registry({ tiny: { '1.0.0': server('one') } })
    const agents = [open(), open()]
    const wanted = ['a', 'b'].map((name) => ({ ...tiny({ version: '1.0.0' }), name }))
    await Promise.all(agents.map(({ servers }) => apply(servers, ...wanted)))
    for (const { servers } of agents) for (const { name } of wanted) expect(await call(servers, name, 'version')).toBe('one')
    expect(downloads).toEqual(['1.0.0.tgz'])
  })

  it('that was left half installed is installed anew', async () => {
    await registry({ tiny: { '1.0.0': server('one') } })
    const { servers } = open()
    await apply(servers, tiny({ version: '1.0.0' }))
    await apply(servers)
    const packages = join(cacheDir, 'packages')
    const [key] = readdirSync(join(packages, '.locks'))
    mkdirSync(join(packages, `.tmp-${key}-dead`))
    for (const name of readdirSync(packages)) rmSync(join(packages, name, 'mcpg-package.json'), { force: true })
    await apply(servers, tiny({ version: '1.0.0' }))
    expect(await call(servers, 'tiny', 'version')).toBe('one')
    expect(readdirSync(packages).filter((name) => name.startsWith('.tmp'))).toEqual([])
  })

  it('runs install scripts only where they are allowed', async () => {
    const scripted = server('one', { scripts: { postinstall: 'echo ran > ran.txt' }, hasInstallScript: true })
    await registry({ tiny: { '1.0.0': scripted } })
    const { servers } = open()
    const ran = () =>
      readdirSync(join(cacheDir, 'packages')).filter((name) => existsSync(join(cacheDir, 'packages', name, 'node_modules/tiny/ran.txt')))
    await apply(servers, tiny())
    expect(ran()).toHaveLength(0)
    await apply(servers, tiny({ allowScripts: true }))
    expect(ran()).toHaveLength(1)
  })

  it('is refused when the registry serves other bytes under a version that is known', async () => {
    const { packages } = await registry({ tiny: { '1.0.0': server('one') } })
    const { servers } = open()
    await apply(servers, tiny())
    packages['tiny'] = { '1.0.0': server('tampered') }
    rmSync(cacheDir, { recursive: true })
    expect(await failureOf(servers, tiny({}, { restarts: 1 }))).toMatchObject({
      install: true,
      message: expect.stringContaining('other bytes'),
    })
  })

  it.each([
    ['unknown', { name: 'nobody' }, /^package not found: the registry does not know nobody@latest/],
    ['of an unknown version', { name: 'tiny', version: '9.9.9' }, /^no such version/],
  ])('%s fails with InstallFailed', async (_, source, message) => {
    await registry({ tiny: { '1.0.0': server('one') } })
    const failure = await failureOf(open().servers, tiny(source))
    expect(failure).toMatchObject({ reason: 'InstallFailed', install: true, message: expect.stringMatching(message) })
  })

  it('fails with InstallFailed when the registry is down', async () => {
    process.env['npm_config_registry'] = deadRegistry
    const failure = await failureOf(open().servers, tiny())
    expect(failure).toMatchObject({
      reason: 'InstallFailed',
      install: true,
      message: expect.stringContaining('the package registry cannot be reached'),
    })
  })

  it('says which executables there are when none has its name', async () => {
    await registry({ tiny: { '1.0.0': server('one', { bin: { one: 'server.js', two: 'server.js' } }) } })
    expect(await failureOf(open().servers, tiny())).toMatchObject({ reason: 'SpawnFailed', message: expect.stringContaining('one, two') })
  })
})

describe('a Python package', () => {
  const source: ConfigServerInput = { name: 'py', package: { runtime: 'python', name: 'tiny-py' } }

  it('needs uv and says how to get it', async () => {
    process.env['PATH'] = '/nonexistent'
    expect(await failureOf(open().servers, source)).toMatchObject({
      reason: 'InstallFailed',
      message: expect.stringContaining('pipx install uv'),
    })
  })

  it('is resolved and installed by uv into the cache, once', async () => {
    const { servers, folder } = open()
    const calls = join(folder, 'calls')
    writeFileSync(join(folder, 'uv'), fakeUv(calls))
    chmodSync(join(folder, 'uv'), 0o755)
    process.env['PATH'] = `${folder}:${environment['PATH']}`
    await apply(servers, source)
    expect(versionOf(servers, 'py')).toBe('3.2.1')
    expect(await call(servers, 'py', 'echo', { text: 'from python' })).toBe('from python')
    await apply(servers, { ...source, restarts: 1 })
    expect(readFileSync(calls, 'utf8').trim().split('\n')).toEqual([
      'pip compile - --no-deps --no-header --no-annotate --quiet --no-build',
      'tool install --quiet --no-build tiny-py==3.2.1',
    ])
  })
})

/** Stands in for uv: resolves everything to 3.2.1 and installs a server of this repository. */
function fakeUv(calls: string): string {
  const [node, file] = fixture('echo')
  return `#!/bin/sh
echo "$@" >> ${calls}
[ "$1" = pip ] && { read -r name; echo "$name==3.2.1"; exit 0; }
mkdir -p "$UV_TOOL_BIN_DIR"
printf '#!/bin/sh\\nexec ${node} ${file}\\n' > "$UV_TOOL_BIN_DIR/tiny-py"
chmod +x "$UV_TOOL_BIN_DIR/tiny-py"
`
}

function tinyServer(version: string): string {
  return `#!/usr/bin/env node
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line)
  if (id === undefined) return
  const results = {
    initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'tiny', version: '1' } },
    'tools/list': { tools: [{ name: 'version', inputSchema: { type: 'object' } }] },
    'tools/call': { content: [{ type: 'text', text: '${version}' }] },
  }
  const answer = results[method] ? { result: results[method] } : { error: { code: -32601, message: 'Method not found' } }
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...answer }) + '\\n')
})
`
}
