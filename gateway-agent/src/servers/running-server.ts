import { randomBytes } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import type { ServerState } from '@mcpg/proto/status'
import { runInstance, type Instance, type InstanceDeps } from './instance.ts'
import type { ServerLog } from './logs.ts'
import { ownChildren } from './own-children.ts'
import type { InstanceEnd, Runtime } from './runtimes/runtime.ts'
import type { DesiredServer, InstanceReport, RoutedServer, ServerReport } from './supervision.ts'

export type RunningServer = {
  desired: DesiredServer
  routed: RoutedServer
  report(): ServerReport
  /** Resolves with null when it is ready for the first time (or wants no instance), or with how its first attempt failed. */
  first: Promise<InstanceEnd | null>
  /** Whether `first` has resolved. */
  isDecided(): boolean
  /** Null when it is ready; else its next outcome. */
  proof(): Promise<InstanceEnd | null>
  /** Null once every instance has been ready for so long without a break, or when `signal` aborts; else how the first one ended. */
  steady(ms: number, signal: AbortSignal): Promise<InstanceEnd | null>
  stopInstance(instanceId: string): boolean
  /** Calls in flight finish, for at most callTimeout; then everything is ended. */
  retire(): Promise<void>
  stop(): Promise<void>
}

type Deps = { desired: DesiredServer; runtime: Runtime; sink: ServerLog; timers: Timers; clock: Clock; onChange: () => void }

/** A server of one config with its instances; a changed definition is another running server. */
export function runServer({ desired, runtime, sink, timers, clock, onChange }: Deps): RunningServer {
  const { config, subHash } = desired
  const active: Instance[] = []
  /** Taken out by hand, finishing their calls. */
  const leaving = new Set<Instance>()
  const connectionListeners = new Set<() => void>()
  const outcomeListeners = new Set<(end: InstanceEnd | null) => void>()
  const first = Promise.withResolvers<InstanceEnd | null>()
  let decided = config.state === 'stopped'
  let lastError: string | undefined
  let restartsBefore = 0
  let phase: 'serving' | 'retiring' | 'stopped' = 'serving'
  if (config.state === 'stopped') first.resolve(null)
  else active.push(addInstance())
  const own = ownChildren({
    name: config.name,
    maxSessions: config.maxSessions,
    waitMs: config.callTimeoutMs,
    start: (one) => startInstance({ ...one, onConnection: () => {} }),
    timers,
    clock,
    onChange,
  })
  const routed: RoutedServer = { name: config.name, config, acquire, own, onConnection }
  return { desired, routed, report, first: first.promise, isDecided: () => decided, proof, steady, stopInstance, retire, stop }

  function startInstance(one: Pick<InstanceDeps, 'belongsTo' | 'client' | 'onConnection' | 'onOutcome'>): Instance {
    const id = `${config.name}-${randomBytes(5).toString('hex')}`
    return runInstance({ id, server: config, runtime, sink, timers, clock, onChange, ...one })
  }

  function addInstance(): Instance {
    const instance = startInstance({
      onConnection: () => notify(connectionListeners, undefined),
      onOutcome(end) {
        if (leaving.has(instance)) return
        lastError = end ? `${end.reason}: ${end.message}` : undefined
        decided = true
        first.resolve(end)
        notify(outcomeListeners, end)
        onChange()
      },
    })
    return instance
  }

  function acquire() {
    const ready = active.filter((instance) => instance.connection() !== undefined)
    const [best] = ready.sort((a, b) => a.load.calls - b.load.calls)
    const connection = best?.connection()
    if (!best || !connection) return { unavailable: whyNot() }
    const { load } = best
    load.calls++
    let released = false
    return {
      instanceId: best.id,
      connection,
      release() {
        if (released) return
        released = true
        load.calls--
      },
    }
  }

  function whyNot(): string {
    if (config.state === 'stopped') return `server ${config.name} is stopped`
    const { state, reason, message } = active[0]?.report() ?? { state: 'stopped' }
    const why = message ?? lastError
    return `server ${config.name} is ${state.replace('_', ' ')}${why === undefined ? '' : ` (${reason === undefined ? '' : `${reason}: `}${why})`}`
  }

  function onConnection(listener: () => void): () => void {
    connectionListeners.add(listener)
    return () => connectionListeners.delete(listener)
  }

  function report(): ServerReport {
    const instances = [...active.map((one) => one.report()), ...[...leaving].map(asStopping), ...own.report()]
    const resolvedVersion = active[0]?.resolvedVersion()
    return {
      name: config.name,
      subHash,
      state: stateOf(active.map((one) => one.report())),
      ...(lastError === undefined ? {} : { lastError }),
      restartCount: restartsBefore + active.reduce((sum, one) => sum + one.report().restartCount, 0),
      desired: config.state === 'stopped' ? 0 : 1,
      ...(resolvedVersion === undefined ? {} : { resolvedVersion }),
      instances: phase === 'serving' ? instances : instances.map((one) => (one.state === 'stopped' ? one : { ...one, state: 'stopping' })),
    }
  }

  function stateOf(instances: InstanceReport[]): ServerState {
    if (config.state === 'stopped' || phase !== 'serving') return 'stopped'
    if (instances.every(({ state }) => state === 'ready')) return 'ready'
    if (instances.some(({ state }) => state === 'ready' || state === 'unhealthy')) return 'degraded'
    return instances.some(({ state }) => state === 'failed' || state === 'crash_loop') ? 'failed' : 'starting'
  }

  function proof(): Promise<InstanceEnd | null> {
    if (!decided) return first.promise
    if (active.every((one) => one.connection() !== undefined)) return Promise.resolve(null)
    return new Promise((resolve) => {
      const onOutcome = (end: InstanceEnd | null) => {
        outcomeListeners.delete(onOutcome)
        resolve(end)
      }
      outcomeListeners.add(onOutcome)
    })
  }

  function steady(ms: number, signal: AbortSignal): Promise<InstanceEnd | null> {
    return new Promise((resolve) => {
      let cancel = () => {}
      const finish = (end: InstanceEnd | null) => {
        cancel()
        outcomeListeners.delete(onOutcome)
        connectionListeners.delete(look)
        signal.removeEventListener('abort', onAbort)
        resolve(end)
      }
      const onAbort = () => finish(null)
      const onOutcome = (end: InstanceEnd | null) => (end ? finish(end) : look())
      outcomeListeners.add(onOutcome)
      connectionListeners.add(look)
      signal.addEventListener('abort', onAbort)
      if (signal.aborted) return finish(null)
      look()

      function look(): void {
        cancel()
        cancel = () => {}
        const since = active.map((one) => one.readySince())
        if (since.includes(undefined)) return
        const left = ms - (clock.monotonic() - Math.max(...since.map((at) => at ?? 0), active.length === 0 ? -Infinity : 0))
        if (active.length === 0 || left <= 0) return finish(null)
        cancel = clock.after(left, look)
      }
    })
  }

  function stopInstance(instanceId: string): boolean {
    if (own.stopInstance(instanceId)) return true
    const index = active.findIndex((one) => one.id === instanceId)
    const [instance] = index === -1 || phase !== 'serving' ? [] : active.splice(index, 1)
    if (!instance) return false
    leaving.add(instance)
    restartsBefore += instance.report().restartCount
    active.push(addInstance())
    notify(connectionListeners, undefined)
    onChange()
    void drained([instance])
      .then(() => instance.stop())
      .then(() => {
        leaving.delete(instance)
        onChange()
      })
    return true
  }

  async function retire(): Promise<void> {
    if (phase === 'serving') phase = 'retiring'
    onChange()
    own.retire()
    await drained(active, () => own.isBusy())
    await stop()
  }

  /** Looks every 20 ms: a release is on the path of every call and does no more than count. */
  function drained(instances: Instance[], isBusy: () => boolean = () => false): Promise<void> {
    const until = clock.monotonic() + config.callTimeoutMs
    return new Promise((resolve) => {
      const look = () => {
        const busy = instances.some(({ load }) => load.calls > 0) || isBusy()
        if (!busy || phase === 'stopped' || clock.monotonic() >= until) resolve()
        else clock.after(20, look)
      }
      look()
    })
  }

  async function stop(): Promise<void> {
    phase = 'stopped'
    const end = { reason: 'Stopped', message: 'stopped before it was ready' }
    first.resolve(end)
    notify(outcomeListeners, end)
    await Promise.all([own.stop(), ...[...active, ...leaving].map((one) => one.stop())])
    onChange()
  }
}

const asStopping = (instance: Instance): InstanceReport => ({ ...instance.report(), state: 'stopping' })

function notify<Value>(listeners: ReadonlySet<(value: Value) => void>, value: Value): void {
  for (const listener of listeners) listener(value)
}
