import type { ClusterDrain, ClusterGateways, ClusterDriver, ClusterState, IsolationTier } from '@mcpg/proto/rest/clusters'
import type { Db, Tx } from '../db/db.ts'

/** A row of `clusters`, JSON columns and big numbers read. */
export type ClusterRow = {
  id: string
  name: string
  driver: ClusterDriver
  state: ClusterState
  region: string
  isolationTier: IsolationTier
  labels: Record<string, string>
  gatewaysMax: number
  cpuMillicoresTotal: number | null
  memoryBytesTotal: number | null
  totalsGiven: boolean
  credentialsRef: string | null
  gatewaysReserved: number
  cpuMillicoresReserved: number
  memoryBytesReserved: number
  message: string | null
  lastProbeAt: string | null
  failureScore: number
  failedAt: string | null
  backoffUntil: string | null
  drain: ClusterDrain | null
  createdAt: string
  updatedAt: string
}

/** A gateway that a cluster holds. */
export type HeldGateway = ClusterGateways['items'][number]

export type NewCluster = Omit<
  ClusterRow,
  'gatewaysReserved' | 'cpuMillicoresReserved' | 'memoryBytesReserved' | 'failureScore' | 'failedAt' | 'backoffUntil' | 'drain'
>

type Changed = Pick<ClusterRow, 'labels' | 'gatewaysMax' | 'cpuMillicoresTotal' | 'memoryBytesTotal' | 'totalsGiven'> &
  Partial<Pick<ClusterRow, 'credentialsRef'>>

export type ClusterStore = ReturnType<typeof clusterStore>

export function clusterStore({ read }: Pick<Db, 'read'>) {
  return {
    list,
    find,
    findByName,
    insert,
    setState,
    change,
    setTotals,
    setFailure,
    setDrain,
    startDrain,
    gatewaysOf,
    operationsOf,
    heldReservations,
    bury,
  }

  async function list(): Promise<ClusterRow[]> {
    return (await read.cluster.findMany({ orderBy: { name: 'asc' } })).map(rowOf)
  }

  async function find(id: string, from: Pick<Db['read'], 'cluster'> = read): Promise<ClusterRow | null> {
    const row = await from.cluster.findUnique({ where: { id } })
    return row && rowOf(row)
  }

  async function findByName(name: string, from: Pick<Db['read'], 'cluster'> = read): Promise<ClusterRow | null> {
    const row = await from.cluster.findUnique({ where: { name } })
    return row && rowOf(row)
  }

  async function insert(tx: Tx, { labels, cpuMillicoresTotal, memoryBytesTotal, ...row }: NewCluster): Promise<void> {
    await tx.cluster.create({
      data: {
        ...row,
        labels: JSON.stringify(labels),
        cpuMillicoresTotal: bigOrNull(cpuMillicoresTotal),
        memoryBytesTotal: bigOrNull(memoryBytesTotal),
      },
    })
  }

  async function setState(tx: Tx, id: string, state: ClusterState, now: string): Promise<void> {
    const drain = state === 'draining' ? {} : { drain: null }
    await tx.cluster.update({ where: { id }, data: { state, ...drain, updatedAt: now, version: { increment: 1 } } })
  }

  async function startDrain(tx: Tx, id: string, drain: ClusterDrain, now: string): Promise<void> {
    const data = { state: 'draining', drain: JSON.stringify(drain), updatedAt: now, version: { increment: 1 } }
    await tx.cluster.update({ where: { id }, data })
  }

  /** Unless somebody asked for something else meanwhile. */
  async function setDrain(
    tx: Tx,
    id: string,
    { before, after }: { before: ClusterDrain; after: ClusterDrain },
    now: string,
  ): Promise<void> {
    const where = { id, state: 'draining', drain: JSON.stringify(before) }
    await tx.cluster.updateMany({ where, data: { drain: JSON.stringify(after), updatedAt: now, version: { increment: 1 } } })
  }

  async function change(
    tx: Tx,
    id: string,
    { labels, cpuMillicoresTotal, memoryBytesTotal, ...change }: Changed,
    now: string,
  ): Promise<void> {
    const totals = { cpuMillicoresTotal: bigOrNull(cpuMillicoresTotal), memoryBytesTotal: bigOrNull(memoryBytesTotal) }
    const data = { ...change, ...totals, labels: JSON.stringify(labels), updatedAt: now, version: { increment: 1 } }
    await tx.cluster.update({ where: { id }, data })
  }

  /** What a probe found, so the cluster can be used; never less than is reserved, which the table would refuse. */
  async function setTotals(tx: Tx, id: string, found: { cpuMillicores: number; memoryBytes: number }, now: string): Promise<void> {
    const row = await tx.cluster.findUnique({ where: { id } })
    if (!row) return
    const atLeast = (total: number, reserved: bigint) => (BigInt(total) > reserved ? BigInt(total) : reserved)
    const totals = row.totalsGiven
      ? {}
      : {
          cpuMillicoresTotal: atLeast(found.cpuMillicores, row.cpuMillicoresReserved),
          memoryBytesTotal: atLeast(found.memoryBytes, row.memoryBytesReserved),
        }
    const data = { ...totals, lastProbeAt: now, message: null, backoffUntil: null, version: { increment: 1 } }
    await tx.cluster.updateMany({ where: { id, state: { not: 'decommissioned' } }, data })
    await tx.cluster.updateMany({ where: { id, state: { in: ['unreachable', 'registering'] } }, data: { state: 'ready', updatedAt: now } })
  }

  /** What a probe could not do; a cluster that is ready becomes unreachable. */
  async function setFailure(
    tx: Tx,
    id: string,
    { message, failureScore, backoffUntil, now }: { message: string; failureScore: number; backoffUntil: string; now: string },
  ): Promise<void> {
    const data = { message, failureScore, failedAt: now, backoffUntil, version: { increment: 1 }, updatedAt: now }
    await tx.cluster.updateMany({ where: { id, state: { not: 'decommissioned' } }, data })
    await tx.cluster.updateMany({ where: { id, state: 'ready' }, data: { state: 'unreachable' } })
  }

  async function gatewaysOf(clusterId: string, from: Pick<Db['read'], 'managedGateway'> = read): Promise<HeldGateway[]> {
    const rows = await from.managedGateway.findMany({
      where: { clusterId },
      select: { instanceUid: true, org: true, workspace: true, environment: true, name: true, state: true },
      orderBy: { name: 'asc' },
    })
    return rows.map(({ state, ...row }) => ({ ...row, state: state as HeldGateway['state'] }))
  }

  async function operationsOf(clusterId: string): Promise<string[]> {
    return (await read.operation.findMany({ where: { clusterId, state: 'running' }, select: { id: true } })).map(({ id }) => id)
  }

  async function heldReservations(clusterId: string, from: Pick<Db['read'], 'reservation'> = read): Promise<number> {
    return await from.reservation.count({ where: { clusterId, state: { not: 'released' } } })
  }

  /** Leaves a tombstone that nothing is reserved of and nothing runs on. */
  async function bury(tx: Tx, id: string, now: string): Promise<void> {
    const gateways = await tx.managedGateway.findMany({ where: { clusterId: id }, select: { instanceUid: true } })
    await tx.gatewayHostname.deleteMany({ where: { gatewayUid: { in: gateways.map(({ instanceUid }) => instanceUid) } } })
    await tx.managedGateway.deleteMany({ where: { clusterId: id } })
    await tx.reservation.updateMany({
      where: { clusterId: id, state: { not: 'released' } },
      data: { state: 'released', expiresAt: null, updatedAt: now },
    })
    await tx.cluster.update({
      where: { id },
      data: {
        state: 'decommissioned',
        gatewaysReserved: 0,
        cpuMillicoresReserved: 0,
        memoryBytesReserved: 0,
        failureScore: 0,
        failedAt: null,
        version: { increment: 1 },
        updatedAt: now,
      },
    })
  }
}

type Stored = Omit<ClusterRow, 'driver' | 'state' | 'isolationTier' | 'labels' | 'drain' | BigColumn> & {
  drain: string | null
  driver: string
  state: string
  isolationTier: string
  labels: string
  cpuMillicoresTotal: bigint | null
  memoryBytesTotal: bigint | null
  cpuMillicoresReserved: bigint
  memoryBytesReserved: bigint
}
type BigColumn = 'cpuMillicoresTotal' | 'memoryBytesTotal' | 'cpuMillicoresReserved' | 'memoryBytesReserved'

function rowOf(row: Stored): ClusterRow {
  return {
    ...row,
    driver: row.driver as ClusterDriver,
    state: row.state as ClusterState,
    isolationTier: row.isolationTier as IsolationTier,
    labels: JSON.parse(row.labels) as Record<string, string>,
    drain: row.drain === null ? null : (JSON.parse(row.drain) as ClusterDrain),
    cpuMillicoresTotal: numberOrNull(row.cpuMillicoresTotal),
    memoryBytesTotal: numberOrNull(row.memoryBytesTotal),
    cpuMillicoresReserved: Number(row.cpuMillicoresReserved),
    memoryBytesReserved: Number(row.memoryBytesReserved),
  }
}

const numberOrNull = (value: bigint | null): number | null => (value === null ? null : Number(value))
const bigOrNull = (value: number | null): bigint | null => (value === null ? null : BigInt(value))
