import { availableParallelism, totalmem } from 'node:os'
import { fullJitter } from '@mcpg/core/backoff'
import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import { version } from '@mcpg/proto/version'
import type { Driver, Observed, Workload, WorkloadParameters, Workloads } from './driver.ts'
import { localProcesses } from './local-process.ts'

const restart = { baseMs: 1_000, maxMs: 60_000 }
/** One that has run for so long is no longer one that keeps ending. */
const healthyMs = 60_000

/** Managed gateways as processes of this machine. They are found again by pid and start time, and started again when they have died. */
export function localDriver({
  stateDir,
  program,
  env,
  controlPlane,
  probeMs,
  clock,
  log,
}: {
  stateDir: string
  program: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  /** Address of the listener for gateways, once it is bound. */
  controlPlane: () => string
  probeMs: number
  clock: Clock
  log: Pick<Log, 'warn' | 'info'>
}): Driver {
  const processes = localProcesses({ stateDir, program, env, clock })
  /** One thing at a time for each gateway: what keeps it running must not get in the way of what ends it. */
  const busy = new Map<string, Promise<unknown>>()
  // Whatever it is called, the cluster is this machine.
  const here: Workloads = {
    probe: async () => ({ cpuMillicores: availableParallelism() * 1000, memoryBytes: totalmem() }),
    apply: (workload) => alone(workload.instanceUid, () => apply(workload)),
    observe,
    stop: (uid) => alone(uid, () => processes.end(uid)),
    remove: (uid) =>
      alone(uid, async () => {
        await processes.end(uid)
        await processes.forget(uid)
      }),
    list: async () => processes.list(),
  }
  return { kind: 'local', check, on: () => here, keep }

  function check({ imageTag, replicas, customHostname }: WorkloadParameters): Violation[] {
    return [
      ...(imageTag === 'latest' || imageTag === version
        ? []
        : [{ pointer: '/imageTag', detail: `the cluster of this machine runs this program itself: write latest or ${version}` }]),
      ...(replicas === 1 ? [] : [{ pointer: '/replicas', detail: 'the cluster of this machine runs one replica of a gateway' }]),
      ...(customHostname === undefined
        ? []
        : [
            { pointer: '/customHostname', detail: 'the cluster of this machine routes no host names: its gateways listen on a port of it' },
          ]),
    ]
  }

  /** One of an earlier version of this program is replaced. */
  async function apply(workload: Workload): Promise<void> {
    const { instanceUid: uid } = workload
    const found = await processes.find(uid)
    if (found && (found.version === null || found.version === version)) return
    if (found) await processes.end(uid)
    const enrollmentUrl = processes.hasIdentity(uid) ? null : await workload.enrollmentUrl()
    processes.start(uid, { controlPlane: controlPlane(), enrollmentUrl })
  }

  async function observe(uid: string): Promise<Observed> {
    const found = await processes.find(uid)
    if (found) return { state: found.isReady ? 'running' : 'starting' }
    const message = processes.failureOf(uid)
    return message === null ? { state: 'absent' } : { state: 'failed', message }
  }

  function keep(wanted: () => Promise<Workload[]>): Part {
    const ends = new Map<string, { count: number; since: number; next: number }>()
    let isStopping = false
    let cancel = () => {}
    let looking: Promise<void> = Promise.resolve()
    return {
      name: 'gateways of this machine',
      start: async () => schedule(0),
      async stop() {
        isStopping = true
        cancel()
        await looking
      },
    }

    function schedule(inMs: number): void {
      if (isStopping) return
      cancel = clock.after(inMs, () => {
        looking = look()
          .catch((error: unknown) => log.warn({ err: error }, 'the gateways of this machine could not be looked after'))
          .then(() => schedule(probeMs))
      })
    }

    async function look(): Promise<void> {
      for (const workload of await wanted()) {
        if (isStopping) return
        await lookAfter(workload).catch((error: unknown) =>
          log.warn({ err: error, gateway: workload.name }, 'a gateway of this machine could not be started again'),
        )
      }
    }

    async function lookAfter(workload: Workload): Promise<void> {
      const { instanceUid: uid } = workload
      const now = clock.monotonic()
      const end = ends.get(uid)
      if (busy.has(uid)) return
      if (await processes.find(uid)) {
        if (end && now - end.since > healthyMs) ends.delete(uid)
        return
      }
      if (end && now < end.next) return
      const count = (end?.count ?? 0) + 1
      ends.set(uid, { count, since: now, next: now + fullJitter(count, restart) })
      log.info({ gateway: workload.name, instanceUid: uid }, 'a gateway of this machine is started again')
      await alone(uid, () => apply(workload))
    }
  }

  async function alone<T>(uid: string, work: () => Promise<T>): Promise<T> {
    const before = busy.get(uid) ?? Promise.resolve()
    const mine = before.catch(() => {}).then(work)
    busy.set(uid, mine)
    try {
      return await mine
    } catch (error) {
      if (error instanceof McpgError) throw error
      throw new McpgError('unavailable', 'process_failed', `The gateway ${uid} could not be handled: ${(error as Error).message}.`, {
        cause: error,
      })
    } finally {
      if (busy.get(uid) === mine) busy.delete(uid)
    }
  }
}
