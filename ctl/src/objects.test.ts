import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { McpgError } from '@mcpg/proto/errors'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { ctl, testEnv } from '../test/env.ts'
import { fakeRest } from '../test/fake-rest.ts'
import { until } from '../test/until.ts'
import { runProgram } from './program.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
beforeEach(async () => {
  rest = await fakeRest()
})

const run = (args: string[], stdin = '', variables: Record<string, string> = {}) =>
  ctl(args, { variables: { ...rest.variables, ...variables }, stdin })
const server = (name: string, spec: Record<string, unknown> = { command: ['x'] }, labels: Record<string, string> = {}) =>
  rest.put({ kind: 'Server', metadata: { name, labels }, spec })

function manifest(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcpg-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'm.yaml')
  writeFileSync(path, text)
  return path
}

describe('get', () => {
  test('prints a table, names, JSON and the whole object for one name', async () => {
    server('echo', { command: ['echo', 'hi'] })
    server('other')
    const table = await run(['get', 'servers'])
    expect(table.stdout).toMatch(/^NAME +SOURCE +READY.*\necho +echo hi +0\/0.*\nother /)
    expect((await run(['get', 'srv', '-o', 'name'])).stdout).toBe('server/echo\nserver/other\n')
    expect(JSON.parse((await run(['get', 'SERVER', '-ojson'])).stdout)).toMatchObject({ items: [{ kind: 'Server' }, { kind: 'Server' }] })
    expect(JSON.parse((await run(['get', 'server/echo', '--json'])).stdout)).toMatchObject({ metadata: { name: 'echo' } })
  })

  test('finds by glob and by selector, over all pages', async () => {
    for (let index = 0; index < 600; index++) server(`s${index}`, { command: 'x' }, { part: String(index % 2) })
    expect((await run(['get', 'servers', 's59?', '-o', 'name'])).stdout.split('\n')).toHaveLength(11)
    expect((await run(['get', 'servers', '-l', 'part=1', '-o', 'name'])).stdout.trim().split('\n')).toHaveLength(300)
  })

  test('an empty list is no failure, an unknown name is exit code 5 with the next command', async () => {
    expect(await run(['get', 'servers'])).toMatchObject({ code: 0, stdout: '', stderr: 'no servers found\n' })
    const missing = await run(['get', 'server', 'nope'])
    expect(missing).toMatchObject({ code: 5, stderr: 'error: There is no Server nope.\nhint: mcpg-ctl get servers\n' })
  })

  test('an unknown kind is guessed at', async () => {
    expect(await run(['get', 'sever'])).toMatchObject({ code: 2, stderr: expect.stringContaining('hint: did you mean server?') as string })
  })

  test('what it prints as YAML is unchanged for apply', async () => {
    server('echo', { command: ['a', '${B}', 'no'], required: false, env: [{ name: 'A', value: '1' }] }, { tier: 'edge' })
    const { stdout } = await run(['get', 'servers', '-o', 'yaml'])
    expect(await run(['apply', '-f', '-'], stdout)).toMatchObject({ code: 0, stdout: 'server/echo unchanged\n' })
  })

  test('never lets names or reasons of others move the cursor', async () => {
    server('echo', { command: ['\u001b[2J\nboo\u0007'] })
    expect((await run(['get', 'servers'])).stdout).not.toMatch(/[^\P{Cc}\n]|\nboo/u)
  })
})

describe('events', () => {
  const happened = (name: string, object: string, reason: string, labels: Record<string, string>, count = 1) => {
    const [kind = '', of = ''] = object.split('/')
    const spec = { object: { kind, name: of }, reason, type: 'Warning', ...labels }
    const firstAt = new Date(Date.now() - 300_000).toISOString()
    const status = { message: `${reason} of ${of}`, count, firstAt, lastAt: new Date().toISOString() }
    rest.put({ kind: 'Event', metadata: { name, labels: { kind: kind.toLowerCase(), ...labels } }, spec }, status)
  }

  test('are listed, narrowed to an object, and shown when it is described, newest last', async () => {
    server('echo')
    happened('e1', 'Instance/echo-1', 'CrashLoop', { server: 'echo', gateway: 'edge-1' }, 7)
    happened('e2', 'Gateway/edge-1', 'Offline', { gateway: 'edge-1' })
    happened('e3', 'Server/echo', 'HeldBack', { server: 'echo', gateway: 'edge-1' })
    const names = async (args: string[]) => (await run(['get', 'events', ...args, '-o', 'name'])).stdout.trim().split('\n')
    expect(await names([])).toEqual(['event/e1', 'event/e2', 'event/e3'])
    expect(await names(['--for', 'server/echo'])).toEqual(['event/e1', 'event/e3'])
    expect(await names(['--for', 'gateway/edge-1'])).toEqual(['event/e1', 'event/e2', 'event/e3'])
    expect(await names(['--for', 'instance/echo-1'])).toEqual(['event/e1'])
    expect((await run(['get', 'events'])).stdout).toMatch(
      /LAST +TYPE +REASON +OBJECT .*\n0s ago +Warning +CrashLoop +instance\/echo-1 +edge-1 +7 /,
    )
    const { stdout } = await run(['describe', 'server', 'echo'])
    expect(stdout).toMatch(/Events:\n +LAST .*\n.*CrashLoop +instance\/echo-1 +edge-1 +7 in 5m .*\n.*HeldBack +server\/echo +edge-1 +1 /)
    expect(rest.seen.find(({ path }) => path.endsWith('/events'))?.query.get('sort')).toBe('updatedAt')
    expect((await run(['get', 'all', '-o', 'name'])).stdout).toBe('server/echo\n')
    expect(await run(['get', 'servers', '--for', 'server/echo'])).toMatchObject({ code: 2 })
  })
})

describe('apply, plan and diff', () => {
  const path = () => manifest('servers:\n  - name: echo\n    command: [x]\n    callTimeout: 30s\n')

  test('creates, changes and leaves alone; plan shows every field and writes nothing', async () => {
    server('echo')
    const plan = await run(['plan', '-f', path(), '--exit-code'])
    expect(plan).toMatchObject({ code: 1, stdout: '~ server/echo would change\n    + /spec/callTimeout: "30s"\n' })
    expect(rest.get('Server', 'echo')?.spec).toEqual({ command: ['x'] })
    expect((await run(['apply', '--dry-run', '-f', path()])).stdout).toBe(plan.stdout)
    expect(await run(['apply', '-f', path()])).toMatchObject({ code: 0, stdout: 'server/echo configured\n' })
    expect(await run(['plan', '-f', path(), '--exit-code'])).toMatchObject({ code: 0 })
  })

  test('diff ends with 1 and shows the lines that differ', async () => {
    server('echo')
    const diff = await run(['diff', '-f', path()])
    expect(diff.code).toBe(1)
    expect(diff.stdout).toBe(
      '--- server/echo (stored)\n+++ server/echo (manifest)\n@@ -2,3 +2,4 @@\n   - name: echo\n     command:\n       - x\n+    callTimeout: 30s\n',
    )
  })

  test('sends nothing when the manifest is wrong, and prints every error with file and line', async () => {
    const bad = manifest(
      `servers:\n${Array.from({ length: 1000 }, (_, index) => `  - {name: s${index}, command: x, era: old}\n`).join('')}`,
    )
    const done = await run(['apply', '-f', bad])
    expect(done.code).toBe(2)
    expect(done.stderr.split('\n').filter((line) => line.includes('m.yaml:'))).toHaveLength(1000)
    expect(done.stderr).toContain('error: The manifest has 1000 errors; nothing was written.')
    expect(rest.seen).toEqual([])
  })

  test('says errors of the control plane at the lines of the manifest', async () => {
    const done = await run(['apply', '-f', manifest('servers:\n  - name: a\n    command: x\n  - name: b\n    command: refused\n')])
    expect(done.code).toBe(2)
    expect(done.stderr).toMatch(/m\.yaml:5:5: server\/b \/spec\/command is refused/)
    expect(done.stderr).toContain('request-id: req_1')
  })

  test('a missing file, a missing flag and an object given twice are usage errors', async () => {
    expect(await run(['apply', '-f', '/nope.yaml'])).toMatchObject({ code: 2 })
    expect(await run(['apply'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/-f .*\(MCPG_FILE\)/) as string })
    const twice = manifest('servers: [{name: a, command: x}]\n---\nkind: Server\nname: a\ncommand: y\n')
    expect((await run(['apply', '-f', twice])).stderr).toMatch(/m\.yaml:4:1: Server\/a is given twice, first at .*m\.yaml:1:12/)
  })

  test('checks without a control plane on --dry-run=client', async () => {
    expect(await run(['apply', '--dry-run=client', '-f', path()])).toMatchObject({ code: 0, stdout: '1 object is valid\n' })
    expect(rest.seen).toEqual([])
  })
})

describe('apply --wait', () => {
  const gateway = (name: string, connection: string, hash = 'h') =>
    rest.put(
      { kind: 'Gateway', metadata: { name }, spec: {} },
      { connection, config: { state: 'applied', desired: { generation: 1, hash: 'h' }, applied: { generation: 1, hash }, heldBack: [] } },
    )
  const on = (name: string, state: string, more: Record<string, unknown> = {}) => ({
    gateway: name,
    environment: 'default',
    state,
    ready: 0,
    desired: 1,
    restarts: 0,
    ...more,
  })
  const status = (gateways: unknown[], more: Record<string, unknown> = {}) => ({ observedGeneration: 1, conditions: [], gateways, ...more })
  const path = () => manifest('servers: [{name: echo, command: x}]')

  async function applyAndReport(reported: Record<string, unknown>, timeout = '20s') {
    const { env, stdout, stderr, interrupt } = testEnv({ variables: rest.variables })
    const done = runProgram(['apply', '-f', path(), '--wait', '--timeout', timeout], env)
    await until('it watches', () => rest.watchers() > 0)
    rest.setStatus('Server', 'echo', reported)
    return { done, stdout, stderr, interrupt }
  }

  test('ends with 0 once every gateway runs the new config, and prints the table', async () => {
    gateway('edge', 'online', 'old')
    const { done, stdout } = await applyAndReport(status([on('edge', 'ready')]))
    // Ready, but still by the config before: the next report tells of the new one.
    gateway('edge', 'online', 'old')
    rest.setStatus('Gateway', 'edge', { connection: 'online', config: { desired: { hash: 'h' }, applied: { hash: 'h' } } })
    expect(await done).toBe(0)
    expect(stdout()).toMatch(/echo +edge +ready/)
  })

  test('ends with 7 when a gateway holds it back, with the reason and the last lines', async () => {
    gateway('edge', 'online')
    const { done, stdout, stderr } = await applyAndReport(
      status([
        on('edge', 'failed', {
          heldBack: { reason: 'ExitedEarly', message: 'exit code 3', since: '2026-01-01T00:00:00Z' },
          lastLogLines: ['no such module'],
        }),
      ]),
    )
    expect(await done).toBe(7)
    expect(stdout()).toMatch(/echo +edge +HeldBack +ExitedEarly +exit code 3/)
    expect(stderr()).toMatch(/no such module[\s\S]*hint: mcpg-ctl describe server echo/)
  })

  test('does not wait for a gateway that is offline, and says so', async () => {
    gateway('edge', 'online')
    const { metadata, status: seen } = gateway('far', 'offline')
    rest.setStatus('Gateway', metadata.name, { ...seen, lastSeenAt: '2026-01-01T00:00:00.000Z' })
    const { done, stdout, stderr } = await applyAndReport(status([on('edge', 'ready'), on('far', 'unknown')]))
    expect(await done).toBe(0)
    expect(stdout()).toMatch(/echo +far +offline +gateway is offline, last seen \d+d ago \(2026-01-01T00:00:00\.000Z\)/)
    expect(stderr()).toMatch(/^far is offline, last seen \d+d ago .*: it gets echo when it comes back$/m)
    expect(stderr()).toContain('exit code 0: every gateway that is there runs it\n')
  })

  test('says of gateways that are all away that the change is stored and runs nowhere', async () => {
    gateway('far', 'stopped')
    const { done, stderr } = await applyAndReport(status([on('far', 'unknown')]))
    expect(await done).toBe(0)
    expect(stderr()).toContain(
      'far is stopped: it gets echo when it comes back\nexit code 0: it is stored, and no gateway that should run it',
    )
  })

  test('does not wait for a gateway that is pinned, and says what brings the change there', async () => {
    gateway('edge', 'online')
    const pinned = { generation: 3, since: '2026-01-01T00:00:00Z', by: 'local' }
    const { done, stdout, stderr } = await applyAndReport(status([on('edge', 'ready', { pinned })]))
    expect(await done).toBe(0)
    expect(stdout()).toMatch(/echo +edge +Pinned +GatewayPinned/)
    expect(stderr()).toContain(
      'gateway edge is pinned to generation 3 since 2026-01-01T00:00:00Z by local: this change reaches it after mcpg-ctl resume gateway/edge',
    )
  })

  test('says that nobody runs it', async () => {
    const unplaced = {
      type: 'Unplaced',
      status: 'True',
      reason: 'NoGatewayMatches',
      message: 'no gateway has role=moon',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const { done, stdout } = await applyAndReport(status([], { conditions: [unplaced] }))
    expect(await done).toBe(7)
    expect(stdout()).toMatch(/Unplaced +NoGatewayMatches/)
  })

  test('gives up with 8', async () => {
    gateway('edge', 'online')
    const { done } = await applyAndReport(status([on('edge', 'starting')]), '500ms')
    expect(await done).toBe(8)
  })

  test('goes on after the stream was cut', async () => {
    gateway('edge', 'online')
    const { done } = await applyAndReport(status([on('edge', 'starting')]))
    rest.cut()
    rest.setStatus('Server', 'echo', status([on('edge', 'ready')]))
    expect(await done).toBe(0)
    expect(rest.seen.filter(({ path }) => path === '/v1/watch').at(-1)?.headers['last-event-id']).toMatch(/^c\d+$/)
  })

  test('Ctrl-C stops waiting and prints the command that waits again', async () => {
    gateway('edge', 'online')
    const { done, stderr, interrupt } = await applyAndReport(status([on('edge', 'starting')]))
    interrupt()
    expect(await done).toBe(130)
    expect(stderr()).toMatch(/the work goes on; wait again with: mcpg-ctl apply --file .* --wait/)
  })
})

describe('watch and wait', () => {
  test('get -w prints what there is and every change, until Ctrl-C, and says how to go on', async () => {
    server('echo')
    const { env, stdout, stderr, interrupt } = testEnv({ variables: rest.variables })
    const done = runProgram(['get', 'servers', '-w'], env)
    await until('the first line', () => stdout().includes('ADDED'))
    server('later')
    rest.remove('Server', 'echo')
    await until('the last line', () => stdout().includes('DELETED'))
    interrupt()
    expect(await done).toBe(130)
    expect(stdout()).toMatch(/ADDED +echo[\s\S]*ADDED +later[\s\S]*DELETED +echo/)
    expect(stderr()).toContain('go on with: mcpg-ctl get servers --watch')
  })

  test.each([
    ['condition=Ready', () => rest.setStatus('Server', 'echo', { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] })],
    ['state=ready', () => rest.setStatus('Server', 'echo', { gateways: [{ state: 'ready' }] })],
    ['delete', () => rest.remove('Server', 'echo')],
  ])('wait --for=%s ends when it is so', async (what, happen) => {
    server('echo')
    const { env, stdout } = testEnv({ variables: rest.variables })
    const done = runProgram(['wait', 'server/echo', `--for=${what}`], env)
    await until('it watches', () => rest.watchers() > 0)
    happen()
    expect(await done).toBe(0)
    expect(stdout()).toMatch(/^server\/echo (condition met|deleted)\n$/)
  })

  test('wait gives up with 8, and an object that is not there is 5', async () => {
    server('echo')
    expect(await run(['wait', 'server/echo', '--for=condition=Ready', '--timeout', '200ms'])).toMatchObject({ code: 8 })
    expect(await run(['wait', 'server/nope', '--for=condition=Ready'])).toMatchObject({ code: 5 })
    expect(await run(['wait', 'server/nope', '--for=delete'])).toMatchObject({ code: 0 })
    expect(await run(['wait', 'server/echo'])).toMatchObject({ code: 2, stderr: expect.stringContaining('MCPG_FOR') as string })
  })
})

describe('delete and edit', () => {
  test('delete fails without a terminal and names the flag, then deletes with it', async () => {
    server('echo')
    expect(await run(['delete', 'server', 'echo'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hint: answer with --yes') as string,
    })
    expect(rest.get('Server', 'echo')).toBeDefined()
    expect(await run(['delete', 'server', 'echo', '--yes'])).toMatchObject({ code: 0, stdout: 'server/echo deleted\n' })
    expect(rest.get('Server', 'echo')).toBeUndefined()
  })

  test('delete asks on a terminal', async () => {
    server('echo')
    expect(await ctl(['delete', 'server/echo'], { variables: rest.variables, tty: true, stdin: 'n\n' })).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Delete server/echo? [y/N]') as string,
    })
    expect(rest.get('Server', 'echo')).toBeDefined()
    await ctl(['delete', 'server/echo'], { variables: rest.variables, tty: true, stdin: 'y\n' })
    expect(rest.get('Server', 'echo')).toBeUndefined()
  })

  test('edit writes with If-Match, and opens again with the error as a comment', async () => {
    server('echo')
    const trace = manifest('')
    // The first round breaks the file, the second mends it; what it was shown is kept.
    const editor = manifest(
      `f="$1"; cat "$f" >> ${trace}; if grep -q nonsense "$f"; then sed -i 's/nonsense/callTimeout/' "$f"; else printf '    nonsense: 5s\\n' >> "$f"; fi\n`,
    )
    const done = await run(['edit', 'server/echo'], '', { EDITOR: `sh ${editor}`, PATH: process.env['PATH'] ?? '' })
    expect(done).toMatchObject({ code: 0, stdout: 'server/echo edited\n' })
    expect(rest.get('Server', 'echo')?.spec).toEqual({ command: ['x'], callTimeout: '5s' })
    expect(rest.seen.find(({ method }) => method === 'PUT')?.headers['if-match']).toBe('"1"')
    expect(readFileSync(trace, 'utf8')).toMatch(/# error: The manifest has 1 error[\s\S]*#.*nonsense is an unknown field/)
  })

  test('edit without a change writes nothing', async () => {
    server('echo')
    expect(await run(['edit', 'server', 'echo'], '', { EDITOR: 'true', PATH: process.env['PATH'] ?? '' })).toMatchObject({
      code: 0,
      stderr: 'nothing was changed\n',
    })
    expect(rest.seen.some(({ method }) => method === 'PUT')).toBe(false)
  })
})

describe('a description', () => {
  test('shows reasons, held back revisions and last log lines, and nothing a terminal would obey', async () => {
    const heldBack = { reason: 'ExitedEarly', message: 'exit\u001b[31m code 3', since: '2026-01-01T00:00:00.000Z' }
    const gateways = [
      {
        gateway: 'edge',
        environment: 'default',
        state: 'failed',
        ready: 0,
        desired: 1,
        restarts: 4,
        reason: 'ExitedEarly',
        exitCode: 3,
        heldBack,
        lastLogLines: ['boom \u001b]0;x\u0007'],
      },
    ]
    rest.put({ kind: 'Server', metadata: { name: 'echo' }, spec: { command: ['x'] } }, { gateways, conditions: [] })
    const { stdout } = await run(['describe', 'server/echo'])
    expect(stdout).toMatch(/Held back:\n {2}edge: ExitedEarly, exit code 3/)
    expect(stdout).toMatch(/Last log lines on edge \(ExitedEarly, exit code 3\):\n {2}boom/)
    expect(stdout).not.toMatch(/[^\P{Cc}\n]/u)
    expect((await run(['describe', 'server/echo', '-o', 'yaml'])).stdout).toContain('resourceVersion:')
  })
})

describe('errors and retries', () => {
  test('a problem document keeps its exit code, hint and request id; with -o json it is one object', async () => {
    const error = new McpgError('forbidden', 'not_allowed', 'You may not do this.', { hint: 'ask' })
    rest.failNext({ status: 403, error })
    expect(await run(['get', 'servers'])).toEqual({
      code: 3,
      stdout: '',
      stderr: 'error: You may not do this.\nhint: ask\nrequest-id: req_1\n',
    })
    rest.failNext({ status: 403, error })
    const json = await run(['get', 'servers', '-o', 'json'])
    expect(JSON.parse(json.stderr)).toMatchObject({ code: 'forbidden', reason: 'not_allowed', requestId: 'req_1', hint: 'ask' })
  })

  test('429 and 503 are tried again by Retry-After, five times at most', async () => {
    const busy = { status: 503, headers: { 'retry-after': '0' }, error: new McpgError('unavailable', 'queue_full', 'Too much to do.') }
    rest.failNext(busy, { ...busy, status: 429 })
    const done = await run(['get', 'servers'])
    expect(done.code).toBe(0)
    expect(done.stderr).toBe('Too much to do (503), again in 0 s (1/5)\nToo much to do (429), again in 0 s (2/5)\nno servers found\n')
    rest.failNext(...Array.from({ length: 6 }, () => busy))
    expect((await run(['get', 'servers'])).code).toBe(4)
    expect(rest.seen).toHaveLength(3 + 6)
  })

  test('a control plane that is not there is exit code 4 with cause and hint', async () => {
    const done = await run(['get', 'servers', '--cp-url', 'http://127.0.0.1:1'])
    expect(done.code).toBe(4)
    expect(done.stderr).toMatch(/^error: .*cannot be reached\.\ncause: .+\nhint: .+\n$/)
  })

  test('plain http to another machine and rubbish are refused before anything is sent', async () => {
    expect(await run(['get', 'servers', '--cp-url', 'http://192.0.2.1:7843'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--insecure-plaintext') as string,
    })
    expect(await run(['get', 'servers', '--cp-url', 'nonsense'])).toMatchObject({ code: 2 })
  })

  test('token and cookie travel as headers', async () => {
    await run(['get', 'servers', '--token', 't'])
    expect(rest.seen[0]?.headers.authorization).toBe('Bearer t')
    await run(['get', 'servers'], '', { MCPG_SESSION_COOKIE: 'c' })
    expect(rest.seen[1]?.headers.cookie).toBe('mcpg_sid=c')
  })
})

test('server and enroll send what they say', async () => {
  server('echo')
  expect(await run(['server', 'restart', 'echo', '--retry'])).toMatchObject({ code: 0, stdout: 'server/echo restarting\n' })
  expect(rest.seen.at(-1)).toMatchObject({
    method: 'POST',
    path: '/v1/orgs/default/workspaces/default/servers/echo/restart',
    body: { retry: true },
  })
  const created = await run(['enroll', 'create', '--name', 'edge', '--label', 'role=edge', '--label', 'tier=a', '--ttl', '5m'])
  expect(rest.seen.at(-1)?.body).toEqual({ name: 'edge', labels: { role: 'edge', tier: 'a' }, ttl: '5m', maxUses: 1 })
  expect(created.stdout).toMatch(/url: +http.*\/enroll\//)
  expect(created.stdout).toContain("mcpg-ctl gateway --name edge --enrollment-url 'x'")
})

describe('templates', () => {
  const parameters = [
    { name: 'root', type: 'string' },
    { name: 'limit', type: 'integer' },
    { name: 'quiet', type: 'boolean' },
  ]
  const template = () =>
    rest.put({
      kind: 'Template',
      metadata: { name: 'files' },
      spec: { versions: [{ version: '1', parameters, server: { env: [{ name: 'A', value: '1' }] } }] },
    })

  test('create server sends the parameters with the types that the template declares, and changes what flags say', async () => {
    template()
    const parameters = ['--param', 'root=7', '--param', 'limit=7', '--param', 'quiet=true']
    await run(['create', 'server', 'a', '--from-template', 'files:1', ...parameters, '--command', 'x', '--env', 'B=2', '--label', 'c=d'])
    expect(rest.seen.find(({ path }) => path.endsWith('/templates/files/instantiate'))?.body).toEqual({
      name: 'a',
      version: '1',
      parameters: { root: '7', limit: 7, quiet: true },
      dryRun: true,
    })
    expect(rest.get('Server', 'a')).toMatchObject({
      metadata: { labels: { c: 'd' }, annotations: { 'mcpg.dev/template-parameters': '{"root":"7","limit":7,"quiet":true}' } },
      spec: {
        command: 'x',
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      },
    })
  })

  test('a parameter without a value is refused before anything is sent, an unknown template is exit code 5', async () => {
    template()
    const bad = await run(['create', 'server', 'a', '--from-template', 'files', '--param', 'root'])
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('"root" is not name=value') as string })
    expect(rest.seen.some(({ method }) => method === 'POST')).toBe(false)
    expect((await run(['create', 'server', 'a', '--from-template', 'nope'])).code).toBe(5)
  })
})

describe('rollback and resume', () => {
  const edge = () =>
    rest.put({ kind: 'Gateway', metadata: { name: 'edge' }, spec: {} }, { config: { desired: { generation: 9, hash: 'h' } } })

  test('ask the gateway that is named, with or without its kind, and print what was wanted', async () => {
    edge()
    const done = await run(['rollback', 'gateway/edge', '--to', '3'])
    expect(done).toMatchObject({ code: 0, stdout: 'gateway/edge goes back to generation 3, as generation 9\n' })
    expect(done.stderr).toContain('no change reaches it until mcpg-ctl resume gateway/edge')
    expect(rest.seen.at(-1)).toMatchObject({
      method: 'POST',
      path: expect.stringMatching(/gateways\/edge\/rollback$/) as string,
      body: { to: 3 },
    })
    expect((await run(['rollback', 'edge', '--to', '3', '-o', 'name'])).stdout).toBe('gateway/edge\n')
    expect(JSON.parse((await run(['resume', 'gw/edge', '--json'])).stdout)).toMatchObject({ kind: 'Gateway' })
    expect((await run(['resume', 'edge', '-o', 'yaml'])).stdout).toContain('kind: Gateway')
  })

  test('warn of a config that did not hold there, and name a gateway that is not there', async () => {
    edge()
    rest.configs(
      { generation: 3, state: 'rolled_back', reason: 'UNHEALTHY', message: 'files: exit code 3' },
      { generation: 2, state: 'applied' },
      { generation: 1, state: 'superseded', hash: 'h3' },
    )
    const done = await run(['rollback', 'gateway/edge', '--to', '3'])
    expect(done.code).toBe(0)
    expect(done.stderr).toContain('warning: edge went back from generation 3 (files: exit code 3); it is tried again because you say so\n')
    // The same config under another number.
    expect((await run(['rollback', 'edge', '--to', '1'])).stderr).toContain('warning: edge went back from generation 3')
    expect((await run(['rollback', 'edge', '--to', '2'])).stderr).not.toContain('warning')
    expect(await run(['rollback', 'gateway/none', '--to', '3'])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('There is no Gateway none.') as string,
    })
  })

  test.each([
    [['rollback', 'edge'], '--to'],
    [['rollback', 'edge', '--to', 'three'], 'not "three"'],
    [['rollback', 'server/edge', '--to', '3'], 'server/edge is a Server'],
    [['diff', 'gateway/edge'], '--from'],
    [['diff', 'gateway/edge', '-f', 'x.yaml'], 'not both'],
    [['mcp', '--gateway', 'edge'], '--via-control-plane'],
    [['mcp', '--via-control-plane', '--url', 'http://127.0.0.1:1'], '--url'],
  ])('%s is a matter of usage', async (args, named) => {
    edge()
    expect(await run(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(named) as string })
  })
})
