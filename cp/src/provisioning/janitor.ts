import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { periodically } from '@mcpg/core/periodically'
import { ownCaller } from '../access/caller.ts'
import { groupOf, isMember } from '../clusters/group.ts'
import type { Clusters } from '../clusters/service.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Gateways } from '../gateways/service.ts'
import type { ProvisioningStore } from './store.ts'

export type Janitor = ReturnType<typeof janitor>

/**
 * Removes workloads and credentials that an operation of ours left behind: no gateway is kept of them, and nothing is at work on them. What
 * no operation of this database began belongs to somebody else and stays.
 */
export function janitor({
  store,
  clusters,
  registry,
  gateways,
  clock,
  periodMs,
  log,
}: {
  store: Pick<ProvisioningStore, 'leftBehind'>
  clusters: Pick<Clusters, 'driversIn' | 'workloadsOf'>
  registry: Pick<Registry, 'list' | 'all'>
  gateways: Pick<Gateways, 'remove'>
  clock: Clock
  periodMs: number
  log: Pick<Log, 'warn'>
}) {
  const part: Part = periodically({
    name: 'workloads left behind',
    clock,
    everyMs: periodMs,
    work: look,
    failed: (error) => log.warn({ err: error }, 'workloads that were left behind could not be looked for'),
  })
  /** `lookAt`: also of a cluster that was given up. */
  return { part, lookAt }

  async function look(stopping: AbortSignal): Promise<void> {
    await revokeForgotten()
    for (const { id, name, driver } of await clusters.driversIn()) {
      if (stopping.aborted) return
      if (driver) await lookAt(id).catch((error: unknown) => log.warn({ err: error, cluster: name }, 'a cluster could not be tidied up'))
    }
  }

  /** Of a cluster that was given up by force as the process ended. */
  async function revokeForgotten(): Promise<void> {
    const managed = [...registry.all()].filter(({ origin }) => origin === 'managed')
    if (managed.length === 0) return
    const uidOf = (uid: string) => groupOf(uid)?.instanceUid ?? uid
    const gone = new Set((await store.leftBehind(managed.map((row) => uidOf(row.instanceUid)))).map(({ gatewayUid }) => gatewayUid))
    for (const row of managed.filter(({ instanceUid }) => gone.has(uidOf(instanceUid)))) {
      log.warn({ gateway: row.name, instanceUid: row.instanceUid }, 'a gateway that nobody keeps any more is revoked')
      await gateways.remove(ownCaller(), row, row.id)
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
