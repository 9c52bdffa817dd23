import type { Cluster, ClusterGateways, ClusterList } from '@mcpg/proto/rest/clusters'
import { useQuery } from '@tanstack/react-query'
import { getJson } from './api.ts'

export const clustersKey = ['clusters']
const lookMs = 10_000
const lookOftenMs = 1_000

/** Clusters are of the installation, which the stream of the page does not tell: read every few seconds. */
export function useClusters(): { items: Cluster[] | undefined; error: Error | null } {
  const { data, error } = useQuery({
    queryKey: clustersKey,
    queryFn: async ({ signal }) => (await getJson<ClusterList>('/v1/clusters', signal)).items,
    refetchInterval: ({ state }) => (state.data?.some(isMoving) ? lookOftenMs : lookMs),
    staleTime: 0,
  })
  return { items: data, error: data ? null : error }
}

/** Who has a place on a cluster and who moves away from it: for those who look after clusters. */
export function useClusterGateways({ id, ...cluster }: Cluster, isEnabled = true) {
  const { data, error } = useQuery({
    queryKey: [...clustersKey, id, 'gateways'],
    queryFn: ({ signal }) => getJson<ClusterGateways>(`${adminPath(id)}/gateways`, signal),
    enabled: isEnabled,
    refetchInterval: isMoving(cluster) ? lookOftenMs : lookMs,
    staleTime: 0,
  })
  return { data, error: data ? null : error }
}

/** Where a cluster is changed. */
export const adminPath = (id: string): string => `/v1/admin/clusters/${encodeURIComponent(id)}`

/** Gateways are on their way, or wait for their turn. */
export const isMoving = ({ state, drain }: Pick<Cluster, 'state' | 'drain'>): boolean =>
  state === 'draining' && drain !== undefined && drain.finishedAt === undefined

/** What is left of a cluster; undefined is not limited. */
export function freeOf({ gateways, cpuMillicores, memoryBytes }: Cluster) {
  return {
    gateways: gateways.max - gateways.reserved,
    cpuMillicores: cpuMillicores.total === undefined ? undefined : cpuMillicores.total - cpuMillicores.reserved,
    memoryBytes: memoryBytes.total === undefined ? undefined : memoryBytes.total - memoryBytes.reserved,
  }
}
