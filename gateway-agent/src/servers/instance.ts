import { fullJitter } from '@mcpg/core/backoff'
import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import type { ConfigServer } from '@mcpg/proto/gateway-config'
import { McpgError } from '@mcpg/proto/errors'
import type { InstanceState } from '@mcpg/proto/status'
import type { McpClient, McpConnection } from '../mcp/connection.ts'
import { instanceLines, type ServerLog } from './logs.ts'
import { maxProbeFailures, startProbing } from './probing.ts'
import { StartFailure, type InstanceEnd, type Running, type Runtime } from './runtimes/runtime.ts'
import type { InstanceReport } from './supervision.ts'

/**
 * One running replica. Its id stays over restarts; a deleted one is replaced by another id.
 *
 *   pending → installing → starting → ready ⇄ unhealthy
 *                             │ ended by itself, or never ready
 *                             ▼
 *              failed (waits: full jitter) or crash_loop (waits: fixed) → starting …
 *   any → stopping → stopped
 *
 * `ready` is proven by a handshake and, where the server has tools, by tools/list.
 */
export type Instance = {
  id: string
  report(): InstanceReport
  /** Only while ready. */
  connection(): McpConnection | undefined
  /** Monotonic milliseconds since when it is ready without a break. */
  readySince(): number | undefined
  resolvedVersion(): string | undefined
  load: { calls: number }
  stop(): Promise<void>
}

export type InstanceDeps = {
  id: string
  server: ConfigServer
  runtime: Runtime
  /** Set when it belongs to one session or caller. */
  belongsTo?: 'session' | 'caller' | undefined
  client?: McpClient | undefined
  sink: ServerLog
  timers: Timers
  clock: Clock
  /** Anything in the report changed. */
  onChange: () => void
  /** The connection came or went. */
  onConnection: () => void
  /** It became ready for the first time after a start (null), or an attempt or a ready instance ended by itself. */
  onOutcome: (end: InstanceEnd | null) => void
}

/** Ends within the window that make a crash loop. */
const crashLoopEnds = 5
/** What a server may print beside the protocol within ten seconds. */
const maxJunkBytes = 16 * 1024 * 1024
const junkWindowMs = 10_000
/** How long the exit of a process may follow the end of its output. */
const exitPatienceMs = 1_000

export function runInstance(deps: InstanceDeps): Instance {
  const { id, server, runtime, belongsTo, client, sink, timers, clock, onChange, onConnection, onOutcome } = deps
  const hide = (text: string) => runtime.hide?.(text) ?? text
  const log = sink.open(id)
  const lines = instanceLines({ log, hide })
  const stopping = new AbortController()
  const stopped = new Promise<'stopped'>((resolve) => stopping.signal.addEventListener('abort', () => resolve('stopped')))
  const load = { calls: 0 }
  let state: InstanceState = 'pending'
  let last: InstanceEnd | undefined
  let connection: McpConnection | undefined
  let readySince: number | undefined
  let times: { startTime?: number; readyTime?: number } = {}
  let resolvedVersion: string | undefined
  let restartCount = 0
  // Since the last time it was ready for `restartReset`.
  let ends: number[] = []
  let failures = 0
  let looping = false
  let listing = false
  let flood = Promise.withResolvers<InstanceEnd>()
  let junk = { bytes: 0, since: 0 }
  const life = live()
  return { id, report, connection: () => connection, readySince: () => readySince, resolvedVersion: () => resolvedVersion, load, stop }

  async function live(): Promise<void> {
    // Whoever started it has to hold it before anything is reported.
    await Promise.resolve()
    while (!stopping.signal.aborted) {
      const attempted = await attempt()
      if (stopping.signal.aborted) break
      if (attempted === 'again') continue
      const end = hidden(attempted)
      const delay = noteEnd(end)
      onOutcome(end)
      await pause(delay)
      if (!stopping.signal.aborted) restartCount++
    }
    set('stopped')
    sink.close(id)
  }

  async function attempt(): Promise<InstanceEnd | 'again'> {
    let running: Running
    try {
      const prepared = await runtime.prepare({ onInstalling: () => set('installing'), signal: stopping.signal })
      resolvedVersion = prepared.resolvedVersion
      if (state === 'installing')
        sink.tell({
          kind: 'Server',
          name: server.name,
          warning: false,
          reason: 'PackageInstalled',
          message: resolvedVersion ?? 'installed',
        })
      if (stopping.signal.aborted) return 'again'
      times = { startTime: clock.now() }
      set('starting')
      log.begin()
      running = await runtime.launch({ instanceId: id, client, onLine, onLost: lines.lose })
    } catch (error) {
      return startEnd(error)
    }
    flood = Promise.withResolvers()
    const end = await serve(running)
    const wasReady = connection !== undefined
    connection = undefined
    // Before the tree is taken down: nobody is routed to it from here on.
    if (wasReady) onConnection()
    if (end !== 'again' && !stopping.signal.aborted) set('failed', end)
    await running.stop().catch((error: unknown) => lines.add('agent', `could not be cleaned up: ${String(error)}`))
    return end
  }

  async function serve(running: Running): Promise<InstanceEnd | 'again'> {
    let exit: Partial<InstanceEnd> | undefined
    const ended = running.ended.then((value) => (exit = value))
    const until = clock.monotonic() + server.startTimeoutMs
    const { promise: late, cancel } = timer(server.startTimeoutMs)
    const proof = prove(running, until)
    const first = await Promise.race([proof, ended.then(() => undefined), late, flood.promise, stopped])
    cancel()
    if (first === 'stopped') return 'again'
    if (first === 'late') return notReadyInTime()
    if (first && 'reason' in first) return first
    if (!first || 'error' in first) {
      // Both sides of a death are heard before it is judged.
      await Promise.race([Promise.all([proof, ended]), pause(exitPatienceMs)])
      if (running.retry()) return 'again'
      return exit ? endOfProcess(exit, false) : proofEnd(first ? first.error : undefined)
    }
    return serveReady(first.connection, ended)
  }

  async function serveReady(proven: McpConnection, ended: Promise<Partial<InstanceEnd>>): Promise<InstanceEnd | 'again'> {
    const unhealthy = Promise.withResolvers<InstanceEnd>()
    const stopProbing = startProbing({
      connection: proven,
      timers,
      clock,
      onProbe(count, error) {
        if (count === 0) return becomeReady(proven)
        const message = `does not answer (${count} of ${maxProbeFailures} probes): ${error}`
        if (count >= maxProbeFailures) return unhealthy.resolve({ reason: 'ProbeFailed', message })
        readySince = undefined
        connection = undefined
        set('unhealthy', { reason: 'ProbeFailed', message })
        tell(true, 'Unhealthy', message)
        onConnection()
      },
    })
    becomeReady(proven)
    onOutcome(null)
    const closed = proven.closed.then(async (end) => {
      if (end.reason === 'LineTooLong') return end
      const exit = await Promise.race([ended, pause(exitPatienceMs)])
      return exit ? endOfProcess(exit, true) : { reason: 'ConnectionLost', message: end.message }
    })
    const end = await Promise.race([ended.then((exit) => endOfProcess(exit, true)), closed, flood.promise, unhealthy.promise, stopped])
    stopProbing()
    // Calls that still wait for it are told now, not when the process is gone.
    void proven.close().catch(() => {})
    // A connection that was out of routing has to be announced as gone like any other.
    connection ??= proven
    return end === 'stopped' ? 'again' : end
  }

  function becomeReady(proven: McpConnection): void {
    if (state === 'ready') return
    connection = proven
    readySince = clock.monotonic()
    times = { ...times, readyTime: clock.now() }
    last = undefined
    set('ready')
    onConnection()
  }

  /** The handshake and, where there are tools, their list: what a client will do first. Never rejects. */
  async function prove(running: Running, until: number): Promise<{ connection: McpConnection } | { error: unknown }> {
    const left = () => Math.max(1, until - clock.monotonic())
    listing = false
    try {
      const opened = await running.connect(left())
      listing = true
      if (opened.capabilities['tools'] !== undefined) await listTools(opened, left())
      return { connection: opened }
    } catch (error) {
      return { error }
    }
  }

  function noteEnd(end: InstanceEnd): number {
    const now = clock.monotonic()
    if (readySince !== undefined && now - readySince >= timers.restartReset) {
      ends = []
      failures = 0
      looping = false
    }
    readySince = undefined
    ends = [...ends.filter((at) => now - at < timers.crashLoopWindow), now]
    const looped = looping
    looping ||= ends.length >= crashLoopEnds
    lines.add('agent', `${end.reason}: ${end.message}`)
    tell(true, end.reason, end.message)
    if (looping && !looped) tell(true, 'CrashLoop', `ended ${crashLoopEnds} times in a row, last: ${end.message}`)
    set(looping ? 'crash_loop' : 'failed', end)
    return looping ? timers.crashLoopRetry : fullJitter(failures++, { baseMs: timers.restartBase, maxMs: timers.restartMax })
  }

  function onLine(stream: 'stderr' | 'stdout', line: string): void {
    lines.add(stream, line)
    if (stream === 'stderr') return
    const now = clock.monotonic()
    if (now - junk.since > junkWindowMs) junk = { bytes: 0, since: now }
    junk.bytes += line.length
    if (junk.bytes <= maxJunkBytes) return
    const message = `printed more than ${maxJunkBytes / 2 ** 20} MiB on standard output that is no message of the protocol`
    flood.resolve({ reason: 'LineTooLong', message })
  }

  function notReadyInTime(): InstanceEnd {
    return {
      reason: listing ? 'ToolsListFailed' : 'InitializeTimeout',
      message: `did not answer ${listing ? 'tools/list' : 'the handshake'} within ${server.startTimeoutMs / 1000} s of its start${lastWords()}`,
    }
  }

  function endOfProcess(exit: Partial<InstanceEnd>, wasReady: boolean): InstanceEnd {
    const { exitCode, signal } = exit
    if (exit.reason !== undefined) return { message: exit.reason, ...exit, reason: exit.reason }
    const how = signal === undefined ? `exited with code ${exitCode ?? 'unknown'}` : `was ended by ${signal}`
    const message = `${how}${wasReady ? '' : ' before it was ready'}${lastWords()}`
    return { ...exit, reason: wasReady ? 'ExitedUnexpectedly' : 'ExitedEarly', message }
  }

  function lastWords(): string {
    const line = lines.last().at(-1)
    return line === undefined ? '' : `: ${line.slice(0, 300)}`
  }

  function set(next: InstanceState, end?: InstanceEnd): void {
    if (stopping.signal.aborted && next !== 'stopping' && next !== 'stopped') return
    state = next
    if (end) last = hidden(end)
    onChange()
  }

  function tell(warning: boolean, reason: string, message: string): void {
    sink.tell({ kind: 'Instance', name: id, warning, reason, message: hide(message) })
  }

  function hidden(end: InstanceEnd): InstanceEnd {
    return { ...end, message: hide(end.message) }
  }

  function report(): InstanceReport {
    return {
      instanceId: id,
      state,
      ...last,
      lastLogLines: lines.last(),
      ...(connection ? { protocolVersion: connection.protocolVersion } : {}),
      ...times,
      restartCount,
      inFlight: load.calls,
      ...(belongsTo && { belongsTo }),
    }
  }

  async function stop(): Promise<void> {
    if (!stopping.signal.aborted) {
      stopping.abort()
      set('stopping')
    }
    await life
  }

  /** Ends early when the instance is stopped. */
  function pause(ms: number): Promise<undefined> {
    const { promise, cancel } = timer(ms)
    return Promise.race([promise, stopped]).then(() => {
      cancel()
      return undefined
    })
  }

  function timer(ms: number): { promise: Promise<'late'>; cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<'late'>()
    return { promise, cancel: clock.after(ms, () => resolve('late')) }
  }
}

async function listTools(connection: McpConnection, timeoutMs: number): Promise<void> {
  const outcome = await connection.request({ method: 'tools/list', timeoutMs }).catch((error: unknown) => {
    throw new StartFailure('ToolsListFailed', `tools/list failed: ${error instanceof Error ? error.message : String(error)}`)
  })
  if ('error' in outcome) throw new StartFailure('ToolsListFailed', `tools/list failed: ${outcome.error.message} (${outcome.error.code})`)
  if (!Array.isArray(outcome.result['tools'])) throw new StartFailure('ToolsListFailed', 'the answer to tools/list has no tools')
}

function startEnd(error: unknown): InstanceEnd {
  if (error instanceof StartFailure) return { reason: error.reason, message: error.message }
  return { reason: 'SpawnFailed', message: error instanceof Error ? error.message : String(error) }
}

function proofEnd(error: unknown): InstanceEnd {
  if (error instanceof StartFailure) return { reason: error.reason, message: error.message }
  const message = error instanceof Error ? error.message : String(error)
  return { reason: error instanceof McpgError && error.code === 'timeout' ? 'InitializeTimeout' : 'InitializeFailed', message }
}
