import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { periodically } from '@mcpg/core/periodically'
import type { Clusters } from '../clusters/service.ts'
import type { Registry } from '../gateways/registry.ts'
import { isMember } from '../clusters/group.ts'
import type { ProvisioningStore } from './store.ts'

/**
 * Removes workloads that an operation of ours left behind: no gateway is kept of them, and nothing is at work on them. What no operation of
 * this database began belongs to somebody else and stays.
 */
export function janitor({
  store,
  clusters,
  registry,
  clock,
  periodMs,
  log,
}: {
  store: Pick<ProvisioningStore, 'leftBehind'>
  clusters: Pick<Clusters, 'driversIn' | 'workloadsOf'>
  registry: Pick<Registry, 'list'>
  clock: Clock
  periodMs: number
  log: Pick<Log, 'warn'>
}): Part {
  return periodically({
    name: 'workloads left behind',
    clock,
    everyMs: periodMs,
    work: look,
    failed: (error) => log.warn({ err: error }, 'workloads that were left behind could not be looked for'),
  })

  async function look(stopping: AbortSignal): Promise<void> {
    for (const { id, name, driver } of await clusters.driversIn()) {
      if (stopping.aborted) return
      if (driver) await lookAt(id).catch((error: unknown) => log.warn({ err: error, cluster: name }, 'a cluster could not be tidied up'))
    }
  }

  /** The cluster first: whatever runs there was begun before the tables are read. */
  async function lookAt(clusterId: string): Promise<void> {
    const workloads = await clusters.workloadsOf(clusterId)
    const uids = await workloads.list?.()
    for (const { org, workspace, gateway, gatewayUid } of uids ? await store.leftBehind(uids) : []) {
      // A cluster may have been given up with its gateways going on.
      if (registry.list({ org, workspace }).some(({ instanceUid }) => isMember(instanceUid, gatewayUid))) continue
      log.warn({ gateway, instanceUid: gatewayUid }, 'the workload of a gateway that is gone was left behind and is removed')
      await workloads.remove(gatewayUid)
    }
  }
}
