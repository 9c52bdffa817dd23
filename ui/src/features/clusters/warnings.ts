import type { Cluster } from '@mcpg/proto/rest/clusters'
import { gatewaySizes } from '@mcpg/proto/managed-gateways'
import { freeOf } from '../../lib/clusters.ts'
import { nearlyFull } from '../../components/capacity-bar.tsx'

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
  const shares = [
    { of: 'gateways', share: gateways.reserved / gateways.max },
    { of: 'CPU', share: cpuMillicores.reserved / (cpuMillicores.total ?? Number.POSITIVE_INFINITY) },
    { of: 'memory', share: memoryBytes.reserved / (memoryBytes.total ?? Number.POSITIVE_INFINITY) },
  ]
  const full = shares.filter(({ share }) => share >= 1)
  const nearly = shares.filter(({ share }) => share >= nearlyFull && share < 1)
  return [
    ...(message ? [message] : []),
    ...(full.length > 0 ? [`Full: ${namesOf(full)}.`] : []),
    ...(nearly.length > 0 ? [`Nearly full: ${namesOf(nearly)}.`] : []),
    ...(failureScore > 0 ? [`It failed lately (score ${failureScore.toFixed(1)}); other clusters are preferred.`] : []),
  ]
}

const namesOf = (shares: { of: string }[]): string => shares.map((one) => one.of).join(', ')
