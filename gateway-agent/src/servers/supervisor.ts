import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import type { ResolvedServer } from '../secrets/resolved.ts'
import type { Tell } from '../events/events.ts'
import { readBudget } from '../logs/intake.ts'
import type { LogBook } from '../logs/log-book.ts'
import type { ServerLog } from './logs.ts'
import { runServer, type RunningServer } from './running-server.ts'
import { nodePackageRuntime } from './runtimes/package-node.ts'
import { pythonPackageRuntime } from './runtimes/package-python.ts'
import { installSlots } from './runtimes/package-store.ts'
import { processRuntime } from './runtimes/process.ts'
import { remoteRuntime } from './runtimes/remote.ts'
import { resolutions } from './runtimes/resolutions.ts'
import type { InstanceEnd, Runtime } from './runtimes/runtime.ts'
import { withSecrets, type OpenSecrets } from './runtimes/with-secrets.ts'
import type { Change, DesiredServer, RoutedServer, ServerFailure, ServerReport, Servers } from './supervision.ts'
import type { Supervision } from './tree/probe.ts'
import { processTrees } from './tree/trees.ts'

/** Installations at a time: each is seconds of computing. */
const maxInstalls = 2

export type SupervisorDeps = {
  /** The gateway's folder: `work/`, `run/instances/` and `resolutions.json` are kept in it. */
  stateDir: string
  /** Shared by all agents of the machine. */
  cacheDir: string
  timers: Timers
  clock: Clock
  log: Log
  gatewayId: string
  openSecrets: OpenSecrets
  logs: LogBook
  tell: Tell
  /** What a test may take away; else it is probed. */
  supervision?: Supervision
}

/**
 * Makes what runs on this machine what a config wants. Servers are independent of each other: every one has its own loop, and only
 * installations wait in line. Throws when the gateway's folder cannot be written.
 */
export function superviseServers({
  stateDir,
  cacheDir,
  timers,
  clock,
  log,
  gatewayId,
  openSecrets,
  logs,
  tell,
  supervision,
}: SupervisorDeps): Servers {
  const workFolder = join(stateDir, 'work')
  mkdirSync(workFolder, { recursive: true, mode: 0o700 })
  const trees = processTrees({ gatewayId, folder: stateDir, timers, clock, log, ...(supervision && { supervision }) })
  trees.ready.then(
    ({ active, tiers }) => log.info({ tier: active, holds: tiers[active - 1]?.holds }, 'supervision of processes'),
    (error: unknown) => log.error({ err: error }, 'supervision of processes is not available'),
  )
  const deps = {
    trees,
    clock,
    readBudget: readBudget(clock),
    workFolder,
    cacheDir,
    installMs: timers.install,
    inSlot: installSlots(maxInstalls),
    resolutions: resolutions(stateDir),
  }
  let current = new Map<string, RunningServer>()
  // Asked for with every call, so it is made once per commit.
  let routed: ReadonlyMap<string, RoutedServer> = new Map()
  /** Predecessors of servers that have not shown yet whether they start, by name. */
  const stillServing = new Map<string, RunningServer>()
  const retiring = new Set<RunningServer>()
  let open: (Change & { started: Map<string, RunningServer>; abortBut(kept: ReadonlySet<RunningServer>): Promise<void> }) | undefined
  let stopping: Promise<void> | undefined
  const reportListeners = new Set<() => void>()
  const routingListeners = new Set<() => void>()
  let reportDue = false
  return {
    change,
    report,
    onReport: subscribe(reportListeners),
    routed: () => routed,
    onRouting: subscribe(routingListeners),
    stopInstance,
    stop,
  }

  function change(next: DesiredServer[], gating: ReadonlySet<string>): Change {
    if (stopping) throw new Error('the supervisor has been stopped')
    const wanted = next.filter(({ config, subHash }) => current.get(config.name)?.desired.subHash !== subHash)
    // A newer wish replaces one that is not committed yet and takes over what is starting alike, or changes that come faster than a
    // server starts would keep it from ever being ready.
    const replaced = open
    const started = new Map(wanted.map((desired) => [desired.config.name, alike(replaced?.started, desired) ?? start(desired)]))
    void replaced?.abortBut(new Set(started.values()))
    // A gating server that runs already (the candidate that brought it was superseded) keeps the time it has been ready.
    const gates = next
      .flatMap(({ config: { name } }) => (gating.has(name) ? [started.get(name) ?? current.get(name)] : []))
      .filter((one) => one !== undefined)
    let state: 'open' | 'committed' | 'aborted' = 'open'
    const made = {
      changed: [...started.keys()],
      proven: proveAll(gates),
      commit,
      abort: () => abortBut(new Set()),
      abortBut,
      probation,
      started,
    }
    open = made
    changed()
    return made

    function commit(): void {
      if (state !== 'open') throw new Error(`a change that is ${state} cannot be committed`)
      state = 'committed'
      open = undefined
      const before = new Map(current)
      const entries = next.flatMap(({ config: { name } }) => {
        const server = started.get(name) ?? before.get(name)
        return server ? [[name, server] as const] : []
      })
      current = new Map(entries)
      for (const [name, server] of before) if (current.get(name) !== server) replace(server, started.get(name))
      route()
    }

    async function abortBut(kept: ReadonlySet<RunningServer>): Promise<void> {
      if (state !== 'open') return
      state = 'aborted'
      if (open === made) open = undefined
      await Promise.all([...started.values()].filter((server) => !kept.has(server)).map((server) => end(server, server.stop())))
    }

    async function probation(probationMs: number, signal: AbortSignal): Promise<ServerFailure | null> {
      const over = new AbortController()
      const either = AbortSignal.any([signal, over.signal])
      const failed = Promise.withResolvers<ServerFailure | null>()
      const all = gates.map(async (server) => {
        const ended = await server.steady(probationMs, either)
        if (ended) failed.resolve(failureOf(server, ended))
      })
      void Promise.all(all).then(() => failed.resolve(null))
      const failure = await failed.promise
      over.abort()
      return failure
    }
  }

  function start(desired: DesiredServer): RunningServer {
    const { config } = desired
    const runtime = withSecrets(config, openSecrets, runtimeOf)
    return runServer({ desired, runtime, sink: logOf(config.name), timers, clock, onChange: changed })
  }

  function runtimeOf(config: ResolvedServer): Runtime {
    if (config.url) return remoteRuntime(config, deps)
    if (config.package) return config.package.runtime === 'node' ? nodePackageRuntime(config, deps) : pythonPackageRuntime(config, deps)
    return processRuntime(config, deps)
  }

  function logOf(name: string): ServerLog {
    return { open: (instanceId) => logs.open(name, instanceId), close: (instanceId) => logs.close(name, instanceId), tell }
  }

  /** A successor that nobody waited for (it does not gate) may not be ready: until its first outcome its predecessor goes on serving. */
  function replace(server: RunningServer, successor: RunningServer | undefined): void {
    const name = server.desired.config.name
    const older = stillServing.get(name)
    stillServing.delete(name)
    if (older) void end(older, older.retire())
    if (!successor || successor.isDecided()) return void end(server, server.retire())
    stillServing.set(name, server)
    void successor.first.then(() => {
      if (stillServing.get(name) !== server) return
      stillServing.delete(name)
      route()
      return end(server, server.retire())
    })
  }

  function route(): void {
    routed = new Map([...current].map(([name, server]) => [name, (stillServing.get(name) ?? server).routed]))
    for (const listener of routingListeners) listener()
    changed()
  }

  async function end(server: RunningServer, ending: Promise<void>): Promise<void> {
    retiring.add(server)
    await ending.catch((error: unknown) => log.error({ err: error, server: server.desired.config.name }, 'a server could not be ended'))
    retiring.delete(server)
    changed()
  }

  /** One report per name of the config; instances that come and go with a change are listed with it. */
  function report(): ServerReport[] {
    const names = [...new Set([...current.keys(), ...(open?.started.keys() ?? [])])].sort()
    return names.flatMap((name) => {
      const coming = open?.started.get(name)
      const main = current.get(name) ?? coming
      if (!main) return []
      const others = [coming, stillServing.get(name), ...retiring].filter((one) => one && one !== main && one.desired.config.name === name)
      const own = main.report()
      return [{ ...own, instances: [...own.instances, ...others.flatMap((one) => one?.report().instances ?? [])] }]
    })
  }

  function stopInstance(instanceId: string): boolean {
    return [...current.values()].some((server) => server.stopInstance(instanceId))
  }

  function changed(): void {
    if (reportDue) return
    reportDue = true
    setImmediate(() => {
      reportDue = false
      for (const listener of reportListeners) listener()
    })
  }

  function stop(): Promise<void> {
    return (stopping ??= stopAll())
  }

  async function stopAll(): Promise<void> {
    const all = [...current.values(), ...(open?.started.values() ?? []), ...stillServing.values(), ...retiring]
    await Promise.all(
      all.map((server) => server.stop().catch((error: unknown) => log.error({ err: error }, 'a server could not be ended'))),
    )
    await trees.stop()
    await logs.flushed()
  }
}

function alike(started: Map<string, RunningServer> | undefined, { config, subHash }: DesiredServer): RunningServer | undefined {
  const server = started?.get(config.name)
  return server?.desired.subHash === subHash ? server : undefined
}

/** Resolves with the first failure, or with none when all are ready. */
async function proveAll(gates: RunningServer[]): Promise<{ failures: ServerFailure[] }> {
  const failed = Promise.withResolvers<ServerFailure[]>()
  const outcomes = gates.map(async (server) => {
    const end = await server.proof()
    if (end) failed.resolve([failureOf(server, end)])
  })
  void Promise.all(outcomes).then(() => failed.resolve([]))
  return { failures: await failed.promise }
}

function failureOf(server: RunningServer, { reason, message }: InstanceEnd): ServerFailure {
  return { server: server.desired.config.name, reason, message, install: reason === 'InstallFailed', report: server.report() }
}

function subscribe(listeners: Set<() => void>) {
  return (listener: () => void): (() => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
}
