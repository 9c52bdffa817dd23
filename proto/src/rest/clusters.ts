import { z } from 'zod'
import { isolationTiers, operationPhases, operationStates } from '../managed-gateways.ts'
import { Duration } from '../durations.ts'
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

/** Where clouds hand out credentials of their machines; no gateway may call them. */
export const metadataAddresses: readonly string[] = ['169.254.169.254/32', 'fd00:ec2::254/128']
const Cidr = z
  .union([z.cidrv4(), z.cidrv6()])
  .refine((cidr) => !metadataAddresses.includes(cidr), 'hands out credentials of the machine, and no gateway may call it')

/** How gateways run on a cluster of Kubernetes, where it is not as usual. */
export const KubernetesWorkloads = z.strictObject({
  namespace: Name.optional().describe(
    'Where gateways live; it must be there (default: a namespace for each workspace and tier, made by the control plane)',
  ),
  image: z.string().min(1).max(255).optional().describe('Image of gateways without its tag'),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  imagePullSecret: Name.optional(),
  storageClass: z.string().min(1).max(253).optional(),
  hostPath: z
    .string()
    .regex(/^\/[^:]*[^/:]$/, 'must be an absolute path')
    .optional()
    .describe('Keep state in this folder of the node, of uid 1000; for trials on clusters without a provisioner'),
  ingressNamespace: Name.optional().describe(
    'From where gateways may be called, beside namespaces with the label mcpg.dev/gateway-clients',
  ),
  egress: z.array(Cidr).max(64).optional().describe('Networks that servers may call (default: all but metadata addresses)'),
  ingressClass: z.string().min(1).max(253).optional().describe('Custom host names are routed by an Ingress of this class'),
  certificateIssuer: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe('ClusterIssuer of cert-manager for their certificates (default: the Secret <workload>-tls is made by others)'),
  gatewayApi: z
    .string()
    .regex(/^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/, 'must be <namespace>/<name> of a Gateway')
    .optional()
    .describe('Custom host names are routed by an HTTPRoute of this Gateway, whose listener has the certificate'),
  runtimeClass: Name.optional().describe('Of gateways on a cluster of the tier sandboxed (default: gvisor)'),
})
export type KubernetesWorkloads = z.infer<typeof KubernetesWorkloads>

/** Secret, and never shown again: a kubeconfig, or the URL of the API server with the token of an account. */
export const KubernetesAccess = z
  .strictObject({
    kubeconfig: z.string().min(1).max(524_288).optional(),
    context: z.string().min(1).max(255).optional(),
    server: z.url().optional(),
    ca: z.string().max(262_144).optional().describe('PEM'),
    token: z.string().max(16_384).optional(),
    workloads: KubernetesWorkloads.optional(),
  })
  .superRefine(({ kubeconfig, context, server, ca, token, workloads }, ctx) => {
    if (workloads?.ingressClass !== undefined && workloads.gatewayApi !== undefined)
      ctx.addIssue({ code: 'custom', path: ['workloads', 'gatewayApi'], message: 'does not go with ingressClass' })
    if (workloads?.certificateIssuer !== undefined && workloads.ingressClass === undefined)
      ctx.addIssue({ code: 'custom', path: ['workloads', 'certificateIssuer'], message: 'goes with ingressClass only' })
    const refuse = (field: string, message: string) => ctx.addIssue({ code: 'custom', path: [field], message })
    if (kubeconfig !== undefined) {
      for (const [field, value] of Object.entries({ server, ca, token }))
        if (value !== undefined) refuse(field, 'does not go with a kubeconfig, which says it')
    } else {
      if (context !== undefined) refuse('context', 'goes with a kubeconfig only')
      if (server === undefined) refuse('server', 'is missing: give a kubeconfig, or server and token')
      if (token === undefined) refuse('token', 'is missing: give a kubeconfig, or server and token')
    }
  })
export type KubernetesAccess = z.infer<typeof KubernetesAccess>

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
  kubernetes: KubernetesAccess.optional(),
})
export type RegisterCluster = z.infer<typeof RegisterCluster>

/**
 * How far the gateways of a cluster have moved away. `waiting` says why of each that could not move yet; those are running where they are.
 * `expired`: the deadline has passed, and nothing more is moved. `finishedAt`: nothing is left, or nothing more is moved.
 */
export const ClusterDrain = z.object({
  startedAt: z.string(),
  startedBy: z.string(),
  deadline: z.string().optional(),
  /** Gateways at the beginning, those that are still there, and those on their way. */
  total: z.number().int(),
  left: z.number().int(),
  moving: z.number().int(),
  waiting: z.array(z.object({ gateway: z.string(), why: z.string() })),
  expired: z.boolean(),
  finishedAt: z.string().optional(),
})
export type ClusterDrain = z.infer<typeof ClusterDrain>

/**
 * `PATCH /v1/admin/clusters/{id}`: what is not named stays. A total of null is what each probe finds, or where the other one is given, not
 * limited. Gateways were placed by region, tier and driver, so these stay.
 */
export const ChangeCluster = z.strictObject({
  gatewaysMax: RegisterCluster.shape.gatewaysMax.optional(),
  cpuMillicoresTotal: Amount.nullable().optional(),
  memoryBytesTotal: Amount.nullable().optional(),
  labels: Labels.optional(),
  kubernetes: KubernetesAccess.optional().describe('How it is reached from now on; without workloads these stay'),
})
export type ChangeCluster = z.infer<typeof ChangeCluster>

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
  totalsGiven: z.boolean().describe('Totals were said by a person, and are not what probes find'),
  message: z.string().optional(),
  lastProbeAt: z.string().optional(),
  failureScore: z.number().describe('1 for each probe that failed, halved every ten minutes; 0 is none'),
  drain: ClusterDrain.optional(),
  createdAt: z.string(),
  updatedAt: z.string(),
})
export type Cluster = z.infer<typeof Cluster>
export const ClusterList = listOf(Cluster)
export type ClusterList = z.infer<typeof ClusterList>

const OfWorkspace = z.object({ org: z.string(), workspace: z.string(), environment: z.string(), name: z.string() })

/**
 * `GET /v1/admin/clusters/{id}/gateways`: who has a place on a cluster, and while it is drained the moves away from it, the latest first.
 * The `cluster` of a move is where it goes.
 */
export const ClusterGateways = z.object({
  items: z.array(OfWorkspace.extend({ instanceUid: z.string(), state: z.enum(['creating', 'ready', 'deleting']) })),
  moves: z.array(
    OfWorkspace.extend({
      operationId: z.string(),
      cluster: z.string().optional(),
      state: z.enum(operationStates),
      phase: z.enum(operationPhases),
      step: z.string(),
      compensating: z.boolean(),
      message: z.string().optional(),
      startedAt: z.string(),
      finishedAt: z.string().optional(),
    }),
  ),
})
export type ClusterGateways = z.infer<typeof ClusterGateways>
export type ClusterMove = ClusterGateways['moves'][number]

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

/** `POST /v1/admin/clusters/{id}/drain`; without a deadline it goes on until nothing is left. */
export const DrainCluster = z.strictObject({ deadline: Duration.optional() })
export type DrainCluster = z.infer<typeof DrainCluster>

/** `force`: although gateways run there, which are revoked and removed, or with `keepRunning` left as they are. */
export const DecommissionCluster = z
  .strictObject({ force: z.boolean().default(false), keepRunning: z.boolean().default(false) })
  .superRefine(({ force, keepRunning }, ctx) => {
    if (keepRunning && !force) ctx.addIssue({ code: 'custom', path: ['keepRunning'], message: 'goes with force only' })
  })
export type DecommissionCluster = z.infer<typeof DecommissionCluster>
