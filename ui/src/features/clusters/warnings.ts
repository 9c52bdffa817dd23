import type { Cluster } from '@mcpg/proto/rest/clusters'
import { gatewaySizes } from '@mcpg/proto/managed-gateways'
import { freeOf } from '../../lib/clusters.ts'
import { nearlyFull } from './capacity.tsx'

/** What stays free beside a gateway that is placed. */
const headroom = 1.1

/** How many more gateways of the smallest size have room. */
export function roomFor(cluster: Cluster): number {
  const { gateways, cpuMillicores = Number.POSITIVE_INFINITY, memoryBytes = Number.POSITIVE_INFINITY } = freeOf(cluster)
  const small = gatewaySizes.s
  // The tenth stays free beside the last of them only.
  const fits = (free: number, each: number) => Math.max(0, Math.floor((free - each * headroom) / each) + 1)
  return Math.min(gateways, fits(cpuMillicores, small.cpuMillicores), fits(memoryBytes, small.memoryBytes))
}

/** What a person should look at, a sentence each. */
export function warningsOf(cluster: Cluster): string[] {
  const { state, message, gateways, cpuMillicores, memoryBytes, failureScore } = cluster
  if (state === 'decommissioned') return []
  const full = [
    isNearlyFull(gateways.reserved, gateways.max) ? 'gateways' : '',
    isNearlyFull(cpuMillicores.reserved, cpuMillicores.total) ? 'CPU' : '',
    isNearlyFull(memoryBytes.reserved, memoryBytes.total) ? 'memory' : '',
  ].filter(Boolean)
  return [
    ...(message ? [message] : []),
    ...(full.length > 0 ? [`Nearly full: ${full.join(', ')}.`] : []),
    ...(failureScore > 0 ? [`It failed lately (score ${failureScore.toFixed(1)}); other clusters are preferred.`] : []),
  ]
}

const isNearlyFull = (reserved: number, total: number | undefined) => total !== undefined && reserved >= total * nearlyFull
