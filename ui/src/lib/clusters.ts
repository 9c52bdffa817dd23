import type { Cluster, ClusterList } from '@mcpg/proto/rest/clusters'
import { useQuery } from '@tanstack/react-query'
import { getJson } from './api.ts'

export const clustersKey = ['clusters']

/** Clusters are of the installation, which the stream of the page does not tell: read every few seconds. */
export function useClusters(): { items: Cluster[] | undefined; error: Error | null } {
  const { data, error } = useQuery({
    queryKey: clustersKey,
    queryFn: async ({ signal }) => (await getJson<ClusterList>('/v1/clusters', signal)).items,
    refetchInterval: 10_000,
    staleTime: 0,
  })
  return { items: data, error: data ? null : error }
}

/** What is left of a cluster; undefined is not limited. */
export function freeOf({ gateways, cpuMillicores, memoryBytes }: Cluster) {
  return {
    gateways: gateways.max - gateways.reserved,
    cpuMillicores: cpuMillicores.total === undefined ? undefined : cpuMillicores.total - cpuMillicores.reserved,
    memoryBytes: memoryBytes.total === undefined ? undefined : memoryBytes.total - memoryBytes.reserved,
  }
}
