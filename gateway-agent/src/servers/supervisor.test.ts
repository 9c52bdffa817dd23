import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { LineLog } from '@mcpg/core/line-log'
import { startTimeOf } from '@mcpg/core/process-identity'
import type { ConfigServerInput } from '@mcpg/proto/gateway-config'
import { afterEach, describe, expect, it } from 'vitest'
import { apply, call, desired, fixture, openSupervisor } from './test-servers/open-supervisor.ts'
import { until } from './test-servers/until.ts'
import type { Servers } from './supervision.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())))

function open(...args: Parameters<typeof openSupervisor>) {
  const one = openSupervisor(...args)
  opened.push(one)
  return one
}

const echo: ConfigServerInput = { name: 'echo', command: fixture('echo') }
const reportOf = (servers: Servers, name: string) => servers.report().find((report) => report.name === name)
const instanceOf = (servers: Servers, name: string) => reportOf(servers, name)?.instances[0]
async function linesOf(log: LineLog, { previous = false } = {}): Promise<string[]> {
  const { history } = await log.open({ tail: Infinity, previous })
  const lines: string[] = []
  for await (const some of history) lines.push(...some.map((line) => (line.lost === undefined ? `${line.source} ${line.text}` : '')))
  return lines
}
const isGone = (pid: number) => startTimeOf(pid) === null

describe('a server', () => {
  it('is ready after its handshake and tools/list, answers calls, and leaves no process when everything stops', async () => {
    const { servers, folder } = open()
    await apply(servers, echo)
    expect(reportOf(servers, 'echo')).toMatchObject({ state: 'ready', desired: 1, restartCount: 0 })
    expect(instanceOf(servers, 'echo')).toMatchObject({ state: 'ready', protocolVersion: '2025-11-25', inFlight: 0 })
    const pid = Number(await call(servers, 'echo', 'pid'))
    expect(isGone(pid)).toBe(false)
    expect(readdirSync(join(folder, 'run/instances'))).toHaveLength(1)
    await servers.stop()
    expect(isGone(pid)).toBe(true)
    expect(readdirSync(join(folder, 'run/instances'))).toEqual([])
    expect(servers.routed().get('echo')?.acquire()).toEqual({ unavailable: 'server echo is stopped' })
  })

  it('speaks the modern era where the server knows nothing older', async () => {
    const { servers } = open()
    await apply(servers, { name: 'modern', command: fixture('modern-only') })
    expect(instanceOf(servers, 'modern')).toMatchObject({ state: 'ready', protocolVersion: '2026-07-28' })
  })

  it('sees only an allow list of variables, its own and what it inherits by name, and works in a folder of its own', async () => {
    process.env['MCPG_CANARY'] = 'secret'
    process.env['WANTED_BY_TEST'] = 'inherited'
    const { servers, folder } = open()
    await apply(servers, { ...echo, env: { OWN: 'value' }, inheritEnv: ['WANTED_BY_TEST'] })
    const env = JSON.parse(await call(servers, 'echo', 'env')) as Record<string, string>
    delete process.env['MCPG_CANARY']
    delete process.env['WANTED_BY_TEST']
    expect(env).toMatchObject({ OWN: 'value', WANTED_BY_TEST: 'inherited', MCPG_INSTANCE: expect.stringMatching(/^gw-test\/echo-/) })
    const extra = Object.keys(env).filter((name) => !/^(PATH|HOME|LANG|LC_.*|TMPDIR|TZ|OWN|WANTED_BY_TEST|MCPG_INSTANCE|PWD)$/.test(name))
    expect(extra).toEqual([])
    expect(existsSync(join(folder, 'work/echo'))).toBe(true)
  })

  it('that is wanted stopped has no instance and proves at once', async () => {
    const { servers } = open()
    await apply(servers, { ...echo, state: 'stopped' })
    expect(reportOf(servers, 'echo')).toMatchObject({ state: 'stopped', desired: 0, instances: [] })
    expect(servers.routed().get('echo')?.acquire()).toEqual({ unavailable: 'server echo is stopped' })
  })
})

describe('a failure to start has its own reason', () => {
  const shellServer = (script: string): ConfigServerInput => ({ name: 'bad', command: ['/bin/sh', '-c', script] })
  it.each<[string, Partial<ConfigServerInput>, object]>([
    [
      'program not on PATH',
      { command: ['no-such-program'] },
      { reason: 'SpawnFailed', message: expect.stringContaining('command not found: no-such-program') },
    ],
    [
      'path that is not there',
      { command: ['/nowhere/program'] },
      { reason: 'SpawnFailed', message: 'command not found: /nowhere/program' },
    ],
    [
      'file that is not executable',
      { command: ['PLAIN FILE'] },
      { reason: 'SpawnFailed', message: expect.stringContaining('not executable: /') },
    ],
    ['working folder missing', { ...echo, cwd: '/nowhere' }, { reason: 'SpawnFailed', message: 'working folder not found: /nowhere' }],
    [
      'exits at once',
      { command: fixture('exits-at-once') },
      { reason: 'ExitedEarly', message: expect.stringMatching(/code 3 before it was ready: exits-at-once: no database/) },
    ],
    ['killed by a signal', shellServer('kill -9 $$'), { reason: 'ExitedEarly', message: 'was ended by SIGKILL before it was ready' }],
    ['hangs in initialize', { command: fixture('hangs-in-initialize'), startTimeoutMs: 700 }, { reason: 'InitializeTimeout' }],
    [
      'refuses tools/list',
      { command: fixture('../../../gateway-agent/src/servers/test-servers/no-list') },
      { reason: 'ToolsListFailed', message: 'tools/list failed: out of order (-32000)' },
    ],
    ['interpreter missing', { command: ['SCRIPT'] }, { reason: 'SpawnFailed', message: expect.stringContaining('interpreter') }],
    ['nobody listens', { url: { url: 'http://127.0.0.1:9/mcp' } }, { reason: 'InitializeFailed' }],
  ])('%s', async (_, input, failure) => {
    const { servers, folder } = open()
    if (input.command?.[0] === 'SCRIPT') input = { command: [writeScript(folder, 0o755)] }
    if (input.command?.[0] === 'PLAIN FILE') input = { command: [writeScript(folder, 0o644)] }
    const change = servers.change([desired({ ...input, name: 'bad' })], new Set(['bad']))
    const { failures } = await change.proven
    expect(failures).toEqual([expect.objectContaining({ server: 'bad', install: false, ...failure })])
    expect(failures[0]?.report).toMatchObject({ name: 'bad', state: 'failed' })
    await change.abort()
    expect(servers.report()).toEqual([])
  })

  it('reports exit code and the last lines, without what looks like a secret', async () => {
    const { servers } = open()
    const script = 'echo "connecting with mcpg_pat_aaaaaaaaaaaaaaaaaaaaaaaaaaaa" >&2; seq 1 30 >&2; exit 4'
    const change = servers.change([desired({ name: 'bad', command: ['/bin/sh', '-c', script] })], new Set(['bad']))
    const { failures } = await change.proven
    const [instance] = failures[0]?.report.instances ?? []
    expect(instance).toMatchObject({ exitCode: 4, reason: 'ExitedEarly' })
    expect(instance?.lastLogLines).toHaveLength(20)
    expect(instance?.lastLogLines).toContain('30')
    await change.abort()
    expect(JSON.stringify(failures)).not.toContain('mcpg_pat_a')
  })
})

describe('an instance that ends by itself', () => {
  it('is started again under the same id, with its reason and exit code until it is ready', async () => {
    const { servers, logs } = open()
    await apply(servers, { name: 'dies', command: fixture('dies-after', '400') })
    const before = instanceOf(servers, 'dies')
    const failed = await until('it has died', () => (instanceOf(servers, 'dies')?.exitCode === 7 ? instanceOf(servers, 'dies') : null))
    expect(failed).toMatchObject({ reason: 'ExitedUnexpectedly', instanceId: before?.instanceId })
    expect(failed.lastLogLines).toContain('dies-after: fatal: out of cheese')
    await until('it is ready again', () => reportOf(servers, 'dies')?.state === 'ready' && reportOf(servers, 'dies')?.restartCount)
    const [log] = await logs.find('dies')
    expect(log?.instanceId).toBe(before?.instanceId)
    expect(await linesOf(log!.log, { previous: true })).toEqual(
      expect.arrayContaining([
        'stderr dies-after: fatal: out of cheese',
        expect.stringMatching(/^agent ExitedUnexpectedly: exited with code 7/),
      ]),
    )
    expect((await linesOf(log!.log)).join()).not.toContain('ExitedUnexpectedly')
  })

  it('loops after five ends and is still tried again', async () => {
    const { servers } = open()
    const change = servers.change([desired({ name: 'bad', command: fixture('exits-at-once') })], new Set(['bad']))
    change.commit()
    await until('it loops', () => instanceOf(servers, 'bad')?.state === 'crash_loop')
    expect(instanceOf(servers, 'bad')).toMatchObject({ restartCount: 4, reason: 'ExitedEarly', exitCode: 3 })
    expect(reportOf(servers, 'bad')?.state).toBe('failed')
    await until('it is tried again', () => (instanceOf(servers, 'bad')?.restartCount ?? 0) >= 6)
    expect(servers.routed().get('bad')?.acquire()).toEqual({ unavailable: expect.stringContaining('ExitedEarly') })
  })

  it('is out of routing while its probes fail, and ended after three', async () => {
    const { servers } = open({ probe: 50, probeTimeout: 200 })
    await apply(servers, { ...echo, stopGraceMs: 100 })
    const before = instanceOf(servers, 'echo')
    const pid = Number(await call(servers, 'echo', 'pid'))
    process.kill(pid, 'SIGSTOP')
    await until('it is unhealthy', () => instanceOf(servers, 'echo')?.state === 'unhealthy')
    expect(servers.routed().get('echo')?.acquire()).toEqual({ unavailable: expect.stringContaining('unhealthy (ProbeFailed') })
    process.kill(pid, 'SIGCONT')
    await until('it is back', () => instanceOf(servers, 'echo')?.state === 'ready')
    expect(Number(await call(servers, 'echo', 'pid'))).toBe(pid)
    process.kill(pid, 'SIGSTOP')
    await until(
      'it was replaced',
      () => instanceOf(servers, 'echo')?.state === 'ready' && (instanceOf(servers, 'echo')?.restartCount ?? 0) > 0,
    )
    expect(isGone(pid)).toBe(true)
    expect(instanceOf(servers, 'echo')?.instanceId).toBe(before?.instanceId)
  })

  it('was too loud: one endless line, or without end what is no protocol', { timeout: 60_000 }, async () => {
    const { servers } = open()
    await apply(servers, { name: 'floods', command: fixture('floods') })
    for (const kind of ['unended', 'endless']) {
      await expect(call(servers, 'floods', 'flood', { kind })).rejects.toThrow(/The (server printed|gateway closed)/)
      await until(`${kind} has ended it`, () => reportOf(servers, 'floods')?.lastError?.startsWith('LineTooLong'))
      await until('it is ready again', () => reportOf(servers, 'floods')?.state === 'ready', 20_000)
    }
  })

  it('may print what is no message: it becomes log lines', async () => {
    const { servers } = open()
    await apply(servers, { name: 'prints', command: fixture('prints-non-json') })
    expect(await call(servers, 'prints', 'echo', { text: 'hello' })).toBe('hello')
    expect(instanceOf(servers, 'prints')?.lastLogLines.join('\n')).toContain('[info] handling')
  })

  it('is replaced under another id when it is taken out by hand', async () => {
    const { servers } = open()
    await apply(servers, echo)
    const before = instanceOf(servers, 'echo')?.instanceId ?? ''
    expect(servers.stopInstance(before)).toBe(true)
    expect(servers.stopInstance('nobody')).toBe(false)
    await until('another one is ready', () => {
      const instances = reportOf(servers, 'echo')?.instances ?? []
      return instances.length === 1 && instances[0]?.state === 'ready' && instances[0].instanceId !== before
    })
  })
})

describe('a change', () => {
  it('replaces a server without a failed call, and does not touch an unchanged one', async () => {
    const { servers } = open()
    const other: ConfigServerInput = { name: 'other', command: fixture('echo') }
    await apply(servers, echo, other)
    const [oldPid, otherPid] = [await call(servers, 'echo', 'pid'), await call(servers, 'other', 'pid')]
    const failures: unknown[] = []
    const pids = new Set<string>()
    const over = new AbortController()
    const traffic = Array.from({ length: 4 }, async () => {
      while (!over.signal.aborted)
        await call(servers, 'echo', 'pid').then(
          (pid) => pids.add(pid),
          (error: unknown) => failures.push(error),
        )
    })
    for (const restarts of [1, 2, 3]) {
      await apply(servers, { ...echo, restarts }, other)
      pids.add(await call(servers, 'echo', 'pid'))
    }
    over.abort()
    await Promise.all(traffic)
    expect(failures).toEqual([])
    expect(pids.size).toBe(4)
    expect(await call(servers, 'other', 'pid')).toBe(otherPid)
    await until('the first one is gone', () => isGone(Number(oldPid)))
    expect(reportOf(servers, 'echo')?.restartCount).toBe(0)
  })

  it('lets a call in flight on the old instance finish before it is ended', async () => {
    const { servers } = open()
    await apply(servers, echo)
    const pid = Number(await call(servers, 'echo', 'pid'))
    const slow = call(servers, 'echo', 'sleep', { ms: 600 })
    await apply(servers, { ...echo, restarts: 1 })
    expect(isGone(pid)).toBe(false)
    expect(
      reportOf(servers, 'echo')
        ?.instances.map(({ state }) => state)
        .sort(),
    ).toEqual(['ready', 'stopping'])
    expect(await slow).toBe('slept 600 ms')
    await until('the old one is gone', () => isGone(pid))
  })

  it('ends the old instance after callTimeout although a call hangs', async () => {
    const { servers } = open()
    const hangs: ConfigServerInput = { name: 'hangs', command: fixture('hangs-on-call'), callTimeoutMs: 300 }
    await apply(servers, hangs)
    const pid = Number(await call(servers, 'hangs', 'pid'))
    const lost = call(servers, 'hangs', 'hang').catch((error: Error) => error.message)
    await apply(servers)
    await until('it is gone', () => isGone(pid))
    expect(await lost).toContain('closed')
    expect(servers.report()).toEqual([])
  })

  it('that is aborted leaves what ran as it was, and nothing of its own', async () => {
    const { servers, folder } = open()
    await apply(servers, echo)
    const pid = await call(servers, 'echo', 'pid')
    const change = servers.change(
      [desired({ ...echo, restarts: 1 }), desired({ name: 'new', command: fixture('echo') })],
      new Set(['echo', 'new']),
    )
    expect(change.changed.sort()).toEqual(['echo', 'new'])
    expect((await change.proven).failures).toEqual([])
    expect(await call(servers, 'echo', 'pid')).toBe(pid)
    await change.abort()
    expect(await call(servers, 'echo', 'pid')).toBe(pid)
    expect(servers.report().map(({ name }) => name)).toEqual(['echo'])
    expect(readdirSync(join(folder, 'run/instances'))).toHaveLength(1)
  })

  it('gives way to a newer one', async () => {
    const { servers } = open()
    const first = servers.change([desired({ name: 'hangs', command: fixture('hangs-in-initialize') })], new Set(['hangs']))
    await apply(servers, echo)
    expect((await first.proven).failures).toMatchObject([{ server: 'hangs', reason: 'Stopped' }])
    expect(() => first.commit()).toThrow('aborted')
    expect(servers.report().map(({ name }) => name)).toEqual(['echo'])
  })

  it('hands what it is starting over to a newer one that wants the same', async () => {
    const { servers } = open()
    servers.change([desired(echo)], new Set(['echo']))
    const starting = await until('an instance', () => instanceOf(servers, 'echo')?.instanceId)
    await apply(servers, echo, { name: 'other', command: fixture('echo') })
    expect(instanceOf(servers, 'echo')?.instanceId).toBe(starting)
    expect(reportOf(servers, 'echo')?.instances).toHaveLength(1)
  })

  it('is not held up by a server that hangs or fails and does not gate', async () => {
    const { servers } = open()
    const next = [echo, { name: 'hangs', command: fixture('hangs-in-initialize') }, { name: 'bad', command: ['no-such-program'] }].map(
      desired,
    )
    const change = servers.change(next, new Set(['echo']))
    expect((await change.proven).failures).toEqual([])
    change.commit()
    expect(await call(servers, 'echo', 'echo', { text: 'served' })).toBe('served')
    expect(reportOf(servers, 'hangs')?.state).toBe('starting')
    expect(await change.probation(0, new AbortController().signal)).toBeNull()
  })

  it('keeps the old instance of a server that does not gate until the new one has shown what it can', async () => {
    const { servers } = open()
    await apply(servers, echo)
    const pid = await call(servers, 'echo', 'pid')
    const change = servers.change([desired({ ...echo, restarts: 1 })], new Set())
    expect((await change.proven).failures).toEqual([])
    change.commit()
    expect(await call(servers, 'echo', 'pid')).toBe(pid)
    await until('the new one serves', async () => (await call(servers, 'echo', 'pid')) !== pid)
    await until('the old one is gone', () => isGone(Number(pid)))
  })

  it('passes probation when its instances stay ready, and fails it when one ends', async () => {
    const { servers } = open()
    const good = await apply(servers, echo)
    expect(await good.probation(200, new AbortController().signal)).toBeNull()
    const bad = await apply(servers, echo, { name: 'dies', command: fixture('dies-after', '700') })
    expect(await bad.probation(30_000, new AbortController().signal)).toMatchObject({
      server: 'dies',
      reason: 'ExitedUnexpectedly',
      install: false,
    })
    const cut = new AbortController()
    const waiting = (await apply(servers, { ...echo, restarts: 1 })).probation(30_000, cut.signal)
    cut.abort()
    expect(await waiting).toBeNull()
  })

  it('lets a server that runs already gate: it keeps the time it has been ready, and its end counts', async () => {
    const { servers } = open()
    const dies: ConfigServerInput = { name: 'dies', command: fixture('dies-after', '2500') }
    await apply(servers, echo, dies)
    const change = servers.change([echo, dies].map(desired), new Set(['echo', 'dies']))
    expect([change.changed, (await change.proven).failures]).toEqual([[], []])
    change.commit()
    expect(await change.probation(1, new AbortController().signal)).toBeNull()
    expect(await change.probation(30_000, new AbortController().signal)).toMatchObject({ server: 'dies', reason: 'ExitedUnexpectedly' })
    // Its first attempt was long ago; what counts is whether it works now.
    const later = servers.change([echo, dies].map(desired), new Set(['dies']))
    expect((await later.proven).failures).toEqual([])
    await later.abort()
  })

  it('tells who listens about routing, connections and reports', async () => {
    const { servers } = open()
    const heard: string[] = []
    servers.onRouting(() => heard.push(`routing ${[...servers.routed().keys()].join()}`))
    let reports = 0
    servers.onReport(() => reports++)
    await apply(servers, echo)
    expect(heard).toEqual(['routing echo'])
    expect(reports).toBeGreaterThan(0)
    const routed = servers.routed().get('echo')
    routed?.onConnection(() => heard.push('unavailable' in routed.acquire() ? 'gone' : 'ready'))
    process.kill(Number(await call(servers, 'echo', 'pid')), 'SIGKILL')
    await until('it came back', () => heard.includes('ready'))
    expect(heard).toEqual(['routing echo', 'gone', 'ready'])
  })
})

describe('a remote server', () => {
  it('is proven over HTTP, and connected again when it comes back', async () => {
    const { servers } = open({ probe: 50, probeTimeout: 500 })
    const { port, close } = await listen()
    await apply(servers, { name: 'remote', url: { url: `http://127.0.0.1:${port}/mcp` } })
    expect(await call(servers, 'remote', 'hello')).toBe('hello from afar')
    await close()
    await until('it is missed', () => 'unavailable' in (servers.routed().get('remote')?.acquire() ?? {}))
    const again = await listen(port)
    await until('it is back', () => reportOf(servers, 'remote')?.state === 'ready')
    expect(await call(servers, 'remote', 'hello')).toBe('hello from afar')
    await again.close()
  })
})

function writeScript(folder: string, mode: number): string {
  const script = join(folder, 'script')
  writeFileSync(script, '#!/nowhere/interpreter\n')
  chmodSync(script, mode)
  return script
}

/** The smallest legacy server over Streamable HTTP. */
async function listen(port = 0) {
  const http = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { id, method } = (chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {}) as { id?: number; method?: string }
      if (id === undefined) return response.writeHead(request.method === 'POST' ? 202 : 405).end()
      const results: Record<string, object> = {
        initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'remote', version: '1' } },
        ping: {},
        'tools/list': { tools: [{ name: 'hello', inputSchema: { type: 'object' } }] },
        'tools/call': { content: [{ type: 'text', text: 'hello from afar' }] },
      }
      const result = results[method ?? '']
      const answer = result ? { result } : { error: { code: -32601, message: 'Method not found' } }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
    })
  })
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))
  return {
    port: (http.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve())
        http.closeAllConnections()
      }),
  }
}
