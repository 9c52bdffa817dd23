import type { Cluster, ClusterHealth } from '@mcpg/proto/rest/clusters'
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
