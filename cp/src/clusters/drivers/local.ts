import { availableParallelism, totalmem } from 'node:os'
import { fullJitter } from '@mcpg/core/backoff'
import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { periodically } from '@mcpg/core/periodically'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import { version } from '@mcpg/proto/version'
import { groupOf, isMember, ordinalOf, replicaUid } from '../group.ts'
import type { Driver, Observed, Workload, WorkloadParameters, Workloads } from './driver.ts'
import { localProcesses } from './local-process.ts'

const restart = { baseMs: 1_000, maxMs: 60_000 }
/** One that has run for so long is no longer one that keeps ending. */
const healthyMs = 60_000
/** Of an instance uid. */
const longestUid = 63

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
    prune: (workload) => alone(workload.instanceUid, () => forget(surplusOf(workload))),
    observe,
    stop: (uid) => alone(uid, () => end(known(uid))),
    remove: (uid) => alone(uid, () => forget(known(uid))),
    list: async () => [...new Set(processes.list().map((uid) => groupOf(uid)?.instanceUid ?? uid))],
  }
  return { kind: 'local', check, on: () => here, keep }

  function check({ imageTag, maxReplicas, customHostname }: WorkloadParameters): Violation[] {
    return [
      ...(imageTag === 'latest' || imageTag === version
        ? []
        : [{ pointer: '/imageTag', detail: `the cluster of this machine runs this program itself: write latest or ${version}` }]),
      ...(maxReplicas === undefined
        ? []
        : [
            {
              pointer: '/maxReplicas',
              detail: 'the cluster of this machine does not scale by load: give its gateways a fixed number of replicas',
            },
          ]),
      ...(customHostname === undefined
        ? []
        : [
            { pointer: '/customHostname', detail: 'the cluster of this machine routes no host names: its gateways listen on a port of it' },
          ]),
    ]
  }

  async function apply(workload: Workload): Promise<void> {
    const surplus = surplusOf(workload)
    await end(surplus)
    for (const replica of surplus) processes.retire(replica)
    for (const replica of wantedOf(workload)) await run(workload, replica)
  }

  /** One of an earlier version of this program is replaced. */
  async function run(workload: Workload, replica: string): Promise<void> {
    if (replica.length > longestUid)
      throw new McpgError(
        'failed_precondition',
        'gateway_name_too_long',
        `The replica ${replica} could not be called so: with several replicas a name has ${longestUid - 10} characters at most.`,
      )
    const found = await processes.find(replica)
    if (found && (found.version === null || found.version === version)) return
    if (found) await processes.end(replica)
    const enrollmentUrl = processes.hasIdentity(replica) ? null : await workload.enrollmentUrl({ replica })
    processes.start(replica, { controlPlane: controlPlane(), enrollmentUrl })
  }

  /** The first one stays who it is, whether it began alone or as one of several. */
  function wantedOf({ instanceUid: uid, parameters: { replicas } }: Workload): string[] {
    const folders = processes.folders()
    const first = replicas === 1 ? !folders.includes(replicaUid(uid, 0)) : folders.includes(uid)
    return Array.from({ length: replicas }, (_, ordinal) => (ordinal === 0 && first ? uid : replicaUid(uid, ordinal)))
  }

  function surplusOf({ instanceUid: uid, parameters: { replicas } }: Workload): string[] {
    return known(uid).filter((replica) => ordinalOf(replica, uid)! >= replicas)
  }

  /** All that have something here of a gateway. */
  function known(uid: string): string[] {
    return [...new Set([uid, ...processes.folders().filter((one) => isMember(one, uid))])]
  }

  async function end(replicas: string[]): Promise<void> {
    await Promise.all(replicas.map((replica) => processes.end(replica)))
  }

  async function forget(replicas: string[]): Promise<void> {
    await end(replicas)
    for (const replica of replicas) await processes.forget(replica)
  }

  /** As far as the last of them is. */
  async function observe(uid: string): Promise<Observed> {
    const begun = processes.list().filter((one) => isMember(one, uid))
    const found = await Promise.all(begun.map(async (replica) => ({ replica, process: await processes.find(replica) })))
    for (const { replica, process } of found) {
      const message = process ? null : processes.failureOf(replica)
      if (message !== null) return { state: 'failed', message }
    }
    if (found.length === 0 || found.some(({ process }) => !process)) return { state: 'absent' }
    return { state: found.every(({ process }) => process!.isReady) ? 'running' : 'starting' }
  }

  function keep(wanted: () => Promise<Workload[]>): Part {
    const ends = new Map<string, { count: number; since: number; next: number }>()
    return periodically({
      name: 'gateways of this machine',
      clock,
      firstMs: 0,
      everyMs: probeMs,
      work: look,
      failed: (error) => log.warn({ err: error }, 'the gateways of this machine could not be looked after'),
    })

    async function look(stopping: AbortSignal): Promise<void> {
      for (const workload of await wanted()) {
        if (stopping.aborted) return
        await lookAfter(workload).catch((error: unknown) =>
          log.warn({ err: error, gateway: workload.name }, 'a gateway of this machine could not be started again'),
        )
      }
    }

    async function lookAfter(workload: Workload): Promise<void> {
      for (const replica of wantedOf(workload)) await lookAfterReplica(workload, replica)
    }

    async function lookAfterReplica(workload: Workload, uid: string): Promise<void> {
      const now = clock.monotonic()
      const end = ends.get(uid)
      if (busy.has(workload.instanceUid)) return
      if (await processes.find(uid)) {
        if (end && now - end.since > healthyMs) ends.delete(uid)
        return
      }
      if (end && now < end.next) return
      const count = (end?.count ?? 0) + 1
      ends.set(uid, { count, since: now, next: now + fullJitter(count, restart) })
      log.info({ gateway: workload.name, instanceUid: uid }, 'a gateway of this machine is started again')
      await alone(workload.instanceUid, () => run(workload, uid))
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
