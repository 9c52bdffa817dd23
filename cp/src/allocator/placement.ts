import { isolationTiers, type ClusterState, type IsolationTier } from '@mcpg/proto/rest/clusters'
import type { PassedOver } from '@mcpg/proto/rest/operations'
import { selects, type SelectorTerm } from '@mcpg/proto/selectors'

/** A cluster as placement sees it. A total that is null is not limited. */
export type PlaceableCluster = {
  id: string
  name: string
  state: ClusterState
  /** What keeps it from being used, where that is known. */
  message: string | null
  region: string
  isolationTier: IsolationTier
  labels: Record<string, string>
  gatewaysMax: number
  gatewaysReserved: number
  cpuMillicoresTotal: number | null
  cpuMillicoresReserved: number
  memoryBytesTotal: number | null
  memoryBytesReserved: number
  failureScore: number
  /** Milliseconds since 1970. */
  failedAt: number | null
  backoffUntil: number | null
  /** Organizations that have gateways there. */
  orgs: readonly string[]
}

/** What one gateway needs; the numbers are for all its replicas together. */
export type PlacementRequest = {
  org: string
  gateways: number
  cpuMillicores: number
  memoryBytes: number
  region: string | null
  isolationTier: IsolationTier
  allowHigherTier: boolean
  selector: SelectorTerm[]
  strategy: 'binpack' | 'spread'
  /** Clusters that hold a gateway of the same name, in another environment of its workspace. */
  siblings: ReadonlySet<string>
  /** Clusters that cannot run it, by id, with why. */
  excluded: ReadonlyMap<string, string>
}

/** What stays free beside a request, so that the cluster can move things about. */
const headroom = 1.1
/** The score of a cluster falls by this where it holds a sibling already. */
const siblingPenalty = 6
const failureHalfLifeMs = 600_000

/** The clusters that can take the request, best first, and why the others cannot. Pure. */
export function place(
  request: PlacementRequest,
  clusters: readonly PlaceableCluster[],
  now: number,
): { ranked: PlaceableCluster[]; passedOver: PassedOver[] } {
  const passedOver: PassedOver[] = []
  const fitting: { cluster: PlaceableCluster; score: number }[] = []
  for (const cluster of clusters) {
    if (cluster.state === 'decommissioned') continue
    const why = refusalOf(request, cluster, now)
    if (why) passedOver.push({ cluster: cluster.name, ...why })
    else fitting.push({ cluster, score: scoreOf(request, cluster, now) })
  }
  fitting.sort((a, b) => b.score - a.score || (a.cluster.id < b.cluster.id ? -1 : 1))
  return { ranked: fitting.map(({ cluster }) => cluster), passedOver }
}

/** The first thing that keeps the request out, in the order in which a person would mend it. */
function refusalOf(request: PlacementRequest, cluster: PlaceableCluster, now: number): Omit<PassedOver, 'cluster'> | null {
  const { region, isolationTier, allowHigherTier, selector, org, excluded } = request
  if (cluster.state !== 'ready') return { reason: 'state', detail: `it is ${cluster.state}${remedyOf(cluster)}` }
  const unfit = excluded.get(cluster.id)
  if (unfit !== undefined) return { reason: 'driver', detail: unfit }
  const [asked, offered] = [isolationTiers.indexOf(isolationTier), isolationTiers.indexOf(cluster.isolationTier)]
  if (offered < asked || (offered > asked && !allowHigherTier))
    return {
      reason: 'tier',
      detail: `its tier is ${cluster.isolationTier}, not ${isolationTier}${offered > asked ? '; --allow-higher-tier takes it' : ''}`,
    }
  if (cluster.isolationTier === 'dedicated' && cluster.orgs.some((one) => one !== org))
    return { reason: 'dedicated', detail: 'it is dedicated to another organization' }
  if (region !== null && cluster.region !== region) return { reason: 'region', detail: `its region is ${cluster.region}, not ${region}` }
  if (!selects(selector, cluster.labels)) return { reason: 'labels', detail: 'its labels do not match the selector' }
  if (cluster.backoffUntil !== null && cluster.backoffUntil > now)
    return { reason: 'back_off', detail: `it failed and is left alone until ${new Date(cluster.backoffUntil).toISOString()}` }
  if (cluster.gatewaysMax - cluster.gatewaysReserved < request.gateways)
    return { reason: 'gateways', detail: `${cluster.gatewaysReserved} of ${cluster.gatewaysMax} gateways are taken` }
  const cpu = shortage(cluster.cpuMillicoresTotal, cluster.cpuMillicoresReserved, request.cpuMillicores)
  if (cpu !== null)
    return { reason: 'cpu', detail: `${cpu}m CPU are free of ${cluster.cpuMillicoresTotal}m; ${wanted(request.cpuMillicores, 'm')}` }
  const memory = shortage(cluster.memoryBytesTotal, cluster.memoryBytesReserved, request.memoryBytes)
  if (memory !== null)
    return {
      reason: 'memory',
      detail: `${mebibytes(memory)} memory is free of ${mebibytes(cluster.memoryBytesTotal!)}; ${wanted(Math.round(request.memoryBytes / 2 ** 20), ' MiB')}`,
    }
  return null
}

function remedyOf({ name, state, message }: PlaceableCluster): string {
  if (state === 'unreachable' && message !== null) return `: ${message.replace(/\.$/, '')}`
  if (state === 'cordoned') return `; mcpg-ctl cluster uncordon ${name} opens it again`
  return state === 'registering'
    ? `, it waits for its credentials: mcpg-ctl cluster register --name ${name} with the same values again, and --kubeconfig`
    : ''
}

/** What is free, where that is not enough; else null. */
function shortage(total: number | null, reserved: number, needed: number): number | null {
  if (total === null) return null
  return total - reserved < needed * headroom ? total - reserved : null
}

const wanted = (amount: number, unit: string): string => `${amount}${unit} and a tenth more are needed`
const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`

/** Google's BestFit v3, from 0 (all is free) to 18 (nothing is left); `spread` turns it round. */
function scoreOf(request: PlacementRequest, cluster: PlaceableCluster, now: number): number {
  const slots = 1 - (cluster.gatewaysReserved + request.gateways) / cluster.gatewaysMax
  // What is not limited says nothing of how full it is; its places do.
  const cpu = freeShare(cluster.cpuMillicoresTotal, cluster.cpuMillicoresReserved + request.cpuMillicores) ?? slots
  const memory = freeShare(cluster.memoryBytesTotal, cluster.memoryBytesReserved + request.memoryBytes) ?? slots
  const fit = 20 - (10 ** cpu + 10 ** memory)
  const score = request.strategy === 'spread' ? 18 - fit : fit
  return score - (request.siblings.has(cluster.id) ? siblingPenalty : 0) - failuresNow(cluster, now)
}

const freeShare = (total: number | null, used: number): number | null => (total === null ? null : Math.max(0, 1 - used / total))

/** A failure counts half after ten minutes. */
export function failuresNow({ failureScore, failedAt }: Pick<PlaceableCluster, 'failureScore' | 'failedAt'>, now: number): number {
  return failedAt === null ? 0 : failureScore * 0.5 ** (Math.max(0, now - failedAt) / failureHalfLifeMs)
}
