import { z } from 'zod'
import { isolationTiers } from '../managed-gateways.ts'
import { Labels, Name } from '../names.ts'
import { listOf } from './list.ts'

export { isolationTiers }
export const IsolationTier = z.enum(isolationTiers)
export type IsolationTier = z.infer<typeof IsolationTier>

export const clusterDrivers = ['kubernetes', 'local'] as const
export type ClusterDriver = (typeof clusterDrivers)[number]

export const clusterStates = ['registering', 'ready', 'cordoned', 'draining', 'unreachable', 'decommissioned'] as const
export type ClusterState = (typeof clusterStates)[number]

/** A word of Kubernetes' label values, as providers name their regions. */
export const Region = z
  .string()
  .regex(
    /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
    'must be 1-63 of A-Z, a-z, 0-9, -, _ and ., and begin and end with a letter or digit',
  )

const Amount = z.number().int().positive().max(Number.MAX_SAFE_INTEGER)

/** `POST /v1/admin/clusters`. Totals that are not given are those that each probe finds. */
export const RegisterCluster = z.strictObject({
  name: Name,
  region: Region,
  gatewaysMax: z.number().int().min(1).max(100_000),
  isolationTier: IsolationTier.default('shared'),
  cpuMillicoresTotal: Amount.optional(),
  memoryBytesTotal: Amount.optional(),
  labels: Labels.optional(),
  driver: z.enum(clusterDrivers).default('kubernetes'),
})
export type RegisterCluster = z.infer<typeof RegisterCluster>

const Share = z.object({ total: z.number().int().optional(), reserved: z.number().int() })

/** `message` says what keeps it from being used; a total that is missing is not known and not limited. */
export const Cluster = z.object({
  id: z.string(),
  name: z.string(),
  driver: z.enum(clusterDrivers),
  state: z.enum(clusterStates),
  region: z.string(),
  isolationTier: IsolationTier,
  labels: z.record(z.string(), z.string()),
  gateways: z.object({ max: z.number().int(), reserved: z.number().int() }),
  cpuMillicores: Share,
  memoryBytes: Share,
  message: z.string().optional(),
  lastProbeAt: z.string().optional(),
  failureScore: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
})
export type Cluster = z.infer<typeof Cluster>
export const ClusterList = listOf(Cluster)
export type ClusterList = z.infer<typeof ClusterList>

/** Registered with a hint where something is left to do. */
export const RegisteredCluster = Cluster.extend({ hint: z.string().optional() })
export type RegisteredCluster = z.infer<typeof RegisteredCluster>

/** Shares are between 0 and 1; one of a total that is not known is missing. */
export const ClusterHealth = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(clusterStates),
  healthy: z.boolean(),
  message: z.string().optional(),
  lastProbeAt: z.string().optional(),
  failureScore: z.number(),
  used: z.object({ gateways: z.number(), cpu: z.number().optional(), memory: z.number().optional() }),
})
export type ClusterHealth = z.infer<typeof ClusterHealth>
export const ClusterHealthList = listOf(ClusterHealth)

/** `force`: although gateways run there, which are revoked and removed, or with `keepRunning` left as they are. */
export const DecommissionCluster = z
  .strictObject({ force: z.boolean().default(false), keepRunning: z.boolean().default(false) })
  .superRefine(({ force, keepRunning }, ctx) => {
    if (keepRunning && !force) ctx.addIssue({ code: 'custom', path: ['keepRunning'], message: 'goes with force only' })
  })
export type DecommissionCluster = z.infer<typeof DecommissionCluster>
