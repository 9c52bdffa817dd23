import type { Cluster, ClusterHealth, ClusterMove } from '@mcpg/proto/rest/clusters'
import type { ClusterRow } from './store.ts'

/** A cluster as people see it. */
export function clusterOf(row: ClusterRow): Cluster {
  const { id, name, driver, state, region, isolationTier, labels, failureScore, createdAt, updatedAt } = row
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
    failureScore,
    ...(row.drain !== null && { drain: row.drain }),
    createdAt,
    updatedAt,
  }
}

export function healthOf(row: ClusterRow): ClusterHealth {
  const { id, name, state, failureScore } = row
  return {
    id,
    name,
    state,
    healthy: row.state === 'ready' || row.state === 'cordoned',
    ...(row.message !== null && { message: row.message }),
    ...(row.lastProbeAt !== null && { lastProbeAt: row.lastProbeAt }),
    failureScore,
    used: {
      gateways: row.gatewaysReserved / row.gatewaysMax,
      ...(row.cpuMillicoresTotal !== null && { cpu: row.cpuMillicoresReserved / row.cpuMillicoresTotal }),
      ...(row.memoryBytesTotal !== null && { memory: row.memoryBytesReserved / row.memoryBytesTotal }),
    },
  }
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
