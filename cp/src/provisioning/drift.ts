import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { periodically } from '@mcpg/core/periodically'
import type { Workload } from '../clusters/drivers/driver.ts'
import type { Clusters } from '../clusters/service.ts'
import type { ManagedGateway, ProvisioningStore } from './store.ts'

/** Somebody who changes it again and again is given in to for longer each time, up to this. */
const longestWaitMs = 6 * 3_600_000

/**
 * Compares what runs of managed gateways with what was deployed, where a cluster can tell. What differs is put right by an update with the
 * same values: it waits its turn, is in the history, and is told of like any other.
 */
export function driftWatch({
  store,
  clusters,
  workloadOf,
  putRight,
  clock,
  periodMs,
  log,
}: {
  store: Pick<ProvisioningStore, 'listReady'>
  clusters: Pick<Clusters, 'driversIn' | 'workloadsOf'>
  /** As it was deployed. */
  workloadOf: (gateway: ManagedGateway) => Workload
  putRight: (gateway: ManagedGateway) => Promise<void>
  clock: Clock
  periodMs: number
  log: Pick<Log, 'warn'>
}): Part {
  const tried = new Map<string, { count: number; next: number }>()
  return periodically({
    name: 'drift of managed gateways',
    clock,
    everyMs: periodMs,
    work: look,
    failed: (error) => log.warn({ err: error }, 'managed gateways could not be compared with what was deployed'),
  })

  async function look(stopping: AbortSignal): Promise<void> {
    for (const { id, name, driver } of await clusters.driversIn()) {
      if (stopping.aborted) return
      if (driver)
        await lookAt(id, stopping).catch((error: unknown) => log.warn({ err: error, cluster: name }, 'a cluster could not be looked at'))
    }
  }

  async function lookAt(clusterId: string, stopping: AbortSignal): Promise<void> {
    const workloads = await clusters.workloadsOf(clusterId)
    if (!workloads.drift) return
    for (const gateway of await store.listReady([clusterId])) {
      if (stopping.aborted) return
      const { instanceUid: uid } = gateway
      const changes = await workloads.drift(workloadOf(gateway))
      const before = tried.get(uid)
      if (changes.length === 0) tried.delete(uid)
      else if (!before || clock.monotonic() >= before.next) {
        const count = (before?.count ?? 0) + 1
        tried.set(uid, { count, next: clock.monotonic() + Math.min(longestWaitMs, periodMs * 2 ** count) })
        log.warn({ gateway: gateway.name, instanceUid: uid, changes }, 'a managed gateway is not as it was deployed, and is put right')
        await putRight(gateway).catch((error: unknown) => log.warn({ err: error, gateway: gateway.name }, 'it could not be put right now'))
      }
    }
  }
}
