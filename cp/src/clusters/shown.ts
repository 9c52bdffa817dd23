import type { Cluster, ClusterHealth, ClusterMove } from '@mcpg/proto/rest/clusters'
import { failuresNow } from '../allocator/placement.ts'
import type { ClusterRow } from './store.ts'

/** A cluster as people see it at `now`, in milliseconds. */
export function clusterOf(row: ClusterRow, now: number): Cluster {
  const { id, name, driver, state, region, isolationTier, labels, createdAt, updatedAt } = row
  return {
    id,
    name,
    driver,
    state,
    region,
    isolationTier,
    labels,
    gateways: { max: row.gatewaysMax, reserved: row.gatewaysReserved },
    cpuMillicores: { ...(row.cpuMillicoresTotal !== null && { total: row.cpuMillicoresTotal }), reserved: row.cpuMillicoresReserved },
    memoryBytes: { ...(row.memoryBytesTotal !== null && { total: row.memoryBytesTotal }), reserved: row.memoryBytesReserved },
    totalsGiven: row.totalsGiven,
    ...(row.message !== null && { message: row.message }),
    ...(row.lastProbeAt !== null && { lastProbeAt: row.lastProbeAt }),
    failureScore: scoreOf(row, now),
    ...(row.drain !== null && { drain: row.drain }),
    createdAt,
    updatedAt,
  }
}

export function healthOf(row: ClusterRow, now: number): ClusterHealth {
  const { id, name, state } = row
  return {
    id,
    name,
    state,
    healthy: row.state === 'ready' || row.state === 'cordoned',
    ...(row.message !== null && { message: row.message }),
    ...(row.lastProbeAt !== null && { lastProbeAt: row.lastProbeAt }),
    failureScore: scoreOf(row, now),
    used: {
      gateways: row.gatewaysReserved / row.gatewaysMax,
      ...(row.cpuMillicoresTotal !== null && { cpu: row.cpuMillicoresReserved / row.cpuMillicoresTotal }),
      ...(row.memoryBytesTotal !== null && { memory: row.memoryBytesReserved / row.memoryBytesTotal }),
    },
  }
}

/** To a tenth, so that an old failure is none. */
function scoreOf({ failureScore, failedAt }: ClusterRow, now: number): number {
  return Math.round(failuresNow({ failureScore, failedAt: failedAt === null ? null : Date.parse(failedAt) }, now) * 10) / 10
}

/** A move away from a cluster, as provisioning knows it. */
export type MoveFrom = Omit<ClusterMove, 'operationId' | 'cluster' | 'message' | 'startedAt' | 'finishedAt'> & {
  id: string
  clusterId: string | null
  errorMessage: string | null
  createdAt: string
  finishedAt: string | null
}

export function moveOf(move: MoveFrom, cluster: string | undefined): ClusterMove {
  const { id, org, workspace, environment, name, state, phase, step, compensating, errorMessage, createdAt, finishedAt } = move
  return {
    operationId: id,
    org,
    workspace,
    environment,
    name,
    ...(cluster !== undefined && { cluster }),
    state,
    phase,
    step,
    compensating,
    ...(errorMessage !== null && { message: errorMessage }),
    startedAt: createdAt,
    ...(finishedAt !== null && { finishedAt }),
  }
}
