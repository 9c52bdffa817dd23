import type { ClusterState, IsolationTier } from '@mcpg/proto/rest/clusters'
import type { Db, Tx } from '../db/db.ts'
import type { PlaceableCluster } from './placement.ts'

export type AllocatorStore = ReturnType<typeof allocatorStore>

/** The numbers of clusters and the reservations behind them: this is their only writer after an operation has begun. */
export function allocatorStore({ read }: Pick<Db, 'read'>) {
  return { clusters, committedOf, commit, release, releaseOf, expired, extend }

  async function clusters(): Promise<PlaceableCluster[]> {
    const [rows, gateways] = await Promise.all([
      read.cluster.findMany({ where: { state: { not: 'decommissioned' } } }),
      read.managedGateway.findMany({ select: { clusterId: true, org: true }, distinct: ['clusterId', 'org'] }),
    ])
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      state: row.state as ClusterState,
      message: row.message,
      region: row.region,
      isolationTier: row.isolationTier as IsolationTier,
      labels: JSON.parse(row.labels) as Record<string, string>,
      gatewaysMax: row.gatewaysMax,
      gatewaysReserved: row.gatewaysReserved,
      cpuMillicoresTotal: numberOrNull(row.cpuMillicoresTotal),
      cpuMillicoresReserved: Number(row.cpuMillicoresReserved),
      memoryBytesTotal: numberOrNull(row.memoryBytesTotal),
      memoryBytesReserved: Number(row.memoryBytesReserved),
      failureScore: row.failureScore,
      failedAt: row.failedAt === null ? null : Date.parse(row.failedAt),
      backoffUntil: row.backoffUntil === null ? null : Date.parse(row.backoffUntil),
      orgs: gateways.filter(({ clusterId }) => clusterId === row.id).map(({ org }) => org),
    }))
  }

  /** What is committed for a gateway, in all its reservations together. */
  async function committedOf(gatewayUid: string): Promise<{ gateways: number; cpuMillicores: number; memoryBytes: number }> {
    const { _sum: sum } = await read.reservation.aggregate({
      where: { gatewayUid, state: 'committed' },
      _sum: { gateways: true, cpuMillicores: true, memoryBytes: true },
    })
    return { gateways: sum.gateways ?? 0, cpuMillicores: Number(sum.cpuMillicores ?? 0), memoryBytes: Number(sum.memoryBytes ?? 0) }
  }

  /** Keeps what an operation reserved; `less` is what the gateway needs no more, in negative numbers. */
  async function commit(
    tx: Tx,
    operationId: string,
    less: { gateways: number; cpuMillicores: number; memoryBytes: number },
    now: string,
  ): Promise<void> {
    const row = await tx.reservation.findUnique({ where: { operationId } })
    if (row?.state !== 'held') return
    await tx.reservation.update({
      where: { operationId },
      data: {
        state: 'committed',
        expiresAt: null,
        updatedAt: now,
        gateways: row.gateways + less.gateways,
        cpuMillicores: row.cpuMillicores + BigInt(less.cpuMillicores),
        memoryBytes: row.memoryBytes + BigInt(less.memoryBytes),
      },
    })
    await change(tx, row.clusterId, [less.gateways, BigInt(less.cpuMillicores), BigInt(less.memoryBytes)], now)
  }

  /** Gives back what an operation reserved; again it does nothing. */
  async function release(tx: Tx, operationId: string, now: string): Promise<void> {
    await releaseWhere(tx, { operationId }, now)
  }

  /** Gives back everything that is kept for a gateway. */
  async function releaseOf(tx: Tx, gatewayUid: string, now: string): Promise<void> {
    await releaseWhere(tx, { gatewayUid }, now)
  }

  async function releaseWhere(tx: Tx, which: { operationId: string } | { gatewayUid: string }, now: string): Promise<void> {
    const rows = await tx.reservation.findMany({ where: { ...which, state: { not: 'released' } } })
    await tx.reservation.updateMany({
      where: { id: { in: rows.map(({ id }) => id) } },
      data: { state: 'released', expiresAt: null, updatedAt: now },
    })
    // Together, as some of them are negative, and nothing between may be more than there is.
    for (const clusterId of new Set(rows.map((row) => row.clusterId))) {
      const own = rows.filter((row) => row.clusterId === clusterId)
      const gateways = own.reduce((sum, row) => sum + row.gateways, 0)
      const cpu = own.reduce((sum, row) => sum + row.cpuMillicores, 0n)
      const memory = own.reduce((sum, row) => sum + row.memoryBytes, 0n)
      await change(tx, clusterId, [-gateways, -cpu, -memory], now)
    }
  }

  async function change(tx: Tx, id: string, [gateways, cpu, memory]: [number, bigint, bigint], now: string): Promise<void> {
    await tx.cluster.updateMany({
      where: { id },
      data: {
        gatewaysReserved: { increment: gateways },
        cpuMillicoresReserved: { increment: cpu },
        memoryBytesReserved: { increment: memory },
        version: { increment: 1 },
        updatedAt: now,
      },
    })
  }

  /** Operations whose reservation is held beyond its time, with whether they are still at work. */
  async function expired(now: string): Promise<{ operationId: string; isRunning: boolean }[]> {
    const rows = await read.reservation.findMany({ where: { state: 'held', expiresAt: { lt: now } }, select: { operationId: true } })
    const ids = rows.map(({ operationId }) => operationId)
    const running = await read.operation.findMany({ where: { id: { in: ids }, state: 'running' }, select: { id: true } })
    const alive = new Set(running.map(({ id }) => id))
    return ids.map((operationId) => ({ operationId, isRunning: alive.has(operationId) }))
  }

  async function extend(tx: Tx, operationId: string, expiresAt: string): Promise<void> {
    await tx.reservation.updateMany({ where: { operationId, state: 'held' }, data: { expiresAt } })
  }
}

const numberOrNull = (value: bigint | null): number | null => (value === null ? null : Number(value))
