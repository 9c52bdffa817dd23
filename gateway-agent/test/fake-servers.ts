import type { Change, DesiredServer, RoutedServer, ServerFailure, ServerReport, Servers } from '../src/servers/supervision.ts'

/** How a server of the fake behaves; decided by its name until `behave` says otherwise. */
export type Behavior = 'ready' | 'fails' | 'install-fails' | 'hangs' | 'dies-in-probation'

export type FakeServers = ReturnType<typeof fakeServers>

/**
 * The supervisor without processes: a server named `<behavior>-x` behaves like that, every other is ready at once. Keeps the rules of
 * `supervision.ts` that a config depends on: old servers are routed until `commit`, unchanged ones are not touched.
 */
export function fakeServers({ now = () => Date.now() }: { now?: () => number } = {}) {
  let routed = new Map<string, { server: DesiredServer; readySince: number }>()
  const behaviors = new Map<string, Behavior>()
  const ailing = new Set<string>()
  const started: string[] = []
  const stopped: string[] = []
  const routings: string[][] = []
  const reportListeners = new Set<() => void>()
  const routingListeners = new Set<() => void>()
  const deaths = new Set<(server: string) => void>()
  /** What an uncommitted change has started; a newer one takes over what is alike. */
  let starting: DesiredServer[] = []
  const releases = new Set<() => void>()
  let isStopped = false

  const servers: Servers = {
    change,
    report: () =>
      [...routed.values()].map(({ server, readySince }) =>
        reportOf(server, ailing.has(server.config.name) ? 'failed' : 'ready', readySince),
      ),
    onReport: (listener) => subscribe(reportListeners, listener),
    routed: () => new Map([...routed].map(([name, { server }]) => [name, routedServer(name, server)])),
    onRouting: (listener) => subscribe(routingListeners, listener),
    stopInstance: (instanceId) => routed.has(instanceId.replace(/-0$/, '')),
    async stop() {
      isStopped = true
      routed = new Map()
    },
  }
  return {
    servers,
    behave: (name: string, behavior: Behavior) => void behaviors.set(name, behavior),
    /** Ends the wait of servers that hang. */
    release: () => releases.forEach((release) => release()),
    /** A routed instance ends by itself. */
    die: (name: string) => deaths.forEach((death) => death(name)),
    /** A routed server is reported as failed from now on. */
    ail: (name: string) => void ailing.add(name),
    /** Calls the report listeners as a real change of state would. */
    poke: () => reportListeners.forEach((listener) => listener()),
    routedNames: () => [...routed.keys()].sort(),
    subHashOf: (name: string) => routed.get(name)?.server.subHash,
    /** Names in the order they were started, restarts included. */
    started,
    stopped,
    /** Every set of names that was ever routed. */
    routings,
    isStopped: () => isStopped,
  }

  function change(next: DesiredServer[], gating: ReadonlySet<string>): Change {
    const fresh = next.filter((server) => routed.get(server.config.name)?.server.subHash !== server.subHash)
    const begun = now()
    const alike = (server: DesiredServer, others: DesiredServer[]) => others.some((other) => other.subHash === server.subHash)
    for (const server of fresh) if (!alike(server, starting)) started.push(server.config.name)
    for (const server of starting) if (!alike(server, fresh)) stopped.push(server.config.name)
    starting = fresh
    return {
      changed: fresh.map((server) => server.config.name),
      proven: prove(next.filter((server) => gating.has(server.config.name))),
      commit() {
        starting = []
        const before = routed
        routed = new Map(
          next.map((server) => {
            const old = before.get(server.config.name)
            return [server.config.name, old?.server.subHash === server.subHash ? old : { server, readySince: begun }]
          }),
        )
        for (const name of before.keys()) if (routed.get(name) !== before.get(name)) stopped.push(name)
        routings.push([...routed.keys()].sort())
        routingListeners.forEach((listener) => listener())
        reportListeners.forEach((listener) => listener())
      },
      async abort() {
        starting = []
        stopped.push(...fresh.map((server) => server.config.name))
      },
      probation: (probationMs, signal) =>
        probation(
          next.filter((server) => gating.has(server.config.name)),
          probationMs,
          signal,
        ),
    }
  }

  async function prove(gating: DesiredServer[]): Promise<{ failures: ServerFailure[] }> {
    const bad = gating.filter((server) => ['fails', 'install-fails'].includes(behaviorOf(server)))
    if (bad.length > 0) return { failures: bad.map((server) => failureOf(server, behaviorOf(server) === 'install-fails')) }
    if (gating.some((server) => behaviorOf(server) === 'hangs')) await new Promise<void>((resolve) => releases.add(resolve))
    return { failures: [] }
  }

  function probation(gating: DesiredServer[], probationMs: number, signal: AbortSignal): Promise<ServerFailure | null> {
    const dying = gating.find((server) => behaviorOf(server) === 'dies-in-probation')
    if (dying) return Promise.resolve(failureOf(dying, false))
    return new Promise((resolve) => {
      const finish = (failure: ServerFailure | null) => {
        clearTimeout(timer)
        deaths.delete(death)
        resolve(failure)
      }
      const timer = setTimeout(() => finish(null), probationMs)
      const death = (name: string) => {
        const server = gating.find((one) => one.config.name === name)
        if (server) finish(failureOf(server, false))
      }
      deaths.add(death)
      signal.addEventListener('abort', () => finish(null), { once: true })
    })
  }

  function behaviorOf({ config }: DesiredServer): Behavior {
    const known = behaviors.get(config.name)
    if (known) return known
    const named = /^(fails|install-fails|hangs|dies-in-probation)(-|$)/.exec(config.name)?.[1]
    return (named as Behavior | undefined) ?? 'ready'
  }

  function failureOf(server: DesiredServer, install: boolean): ServerFailure {
    const reason = install ? 'InstallFailed' : 'ExitedEarly'
    const report = reportOf(server, 'failed', 0)
    report.instances = [{ ...report.instances[0]!, state: 'failed', reason, message: 'it ended', exitCode: 7, lastLogLines: ['boom'] }]
    return { server: server.config.name, reason, message: 'it ended', install, report }
  }
}

function reportOf({ config, subHash }: DesiredServer, state: ServerReport['state'], readyTime: number): ServerReport {
  const instance = { instanceId: `${config.name}-0`, state: 'ready' as const, lastLogLines: [], restartCount: 0, inFlight: 0, readyTime }
  return { name: config.name, subHash, state, restartCount: 0, desired: 1, instances: [instance] }
}

function routedServer(name: string, { config }: DesiredServer): RoutedServer {
  const unavailable = 'a fake answers nothing'
  const own = { reserve: () => false, acquire: () => Promise.resolve({ unavailable }), end: () => {} }
  return { name, config, acquire: () => ({ unavailable }), own, onConnection: () => () => {} }
}

function subscribe(set: Set<() => void>, listener: () => void): () => void {
  set.add(listener)
  return () => void set.delete(listener)
}
