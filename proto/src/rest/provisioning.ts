import { z } from 'zod'
import { gatewaySizes, type GatewaySize } from '../managed-gateways.ts'
import { Name } from '../names.ts'
import { IsolationTier, Region } from './clusters.ts'
import { Hostname } from './domains.ts'

export { gatewaySizes, type GatewaySize }

/** The instance uid of a managed gateway is its name with six more characters and a dash, and no longer than 63. */
export const maxManagedName = 56
const mostReplicas = 100

const Asked = z.strictObject({
  name: Name.refine((name) => name.length <= maxManagedName, `must be at most ${maxManagedName} characters for a managed gateway`),
  imageTag: z
    .string()
    .regex(
      /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?|sha256:[0-9a-f]{64})$/,
      'must be a tag of an image (1-128 of A-Za-z0-9_.-), a digest (sha256: and 64 of 0-9a-f), or both as <tag>@sha256:…',
    )
    .default('latest')
    .describe('A tag, a digest, or both as <tag>@<digest>; latest is the version of the control plane'),
  replicas: z.number().int().min(1).max(mostReplicas).default(1),
  maxReplicas: z
    .number()
    .int()
    .min(2)
    .max(mostReplicas)
    .optional()
    .describe('Scale by load, from `replicas` up to so many, where the cluster can; left out: a fixed number'),
  size: z.enum(['s', 'm', 'l']).default('s'),
  region: Region.optional(),
  isolationTier: IsolationTier.optional(),
  allowHigherTier: z.boolean().default(false),
  clusterSelector: z.string().max(4096).optional().describe('Labels of the cluster, e.g. disk=ssd,zone!=a'),
  strategy: z.enum(['binpack', 'spread']).default('binpack'),
  customHostname: Hostname.optional().describe('At or below a verified domain of the organization'),
})

/**
 * `POST …/environments/{e}/gateways`. A gateway of this name that is managed already is brought to these values in place. Without
 * `isolationTier` it is `shared`; a cluster of a stricter tier takes it only with `allowHigherTier`.
 */
export const ProvisionGateway = Asked.superRefine(({ replicas, maxReplicas }, ctx) => {
  if (maxReplicas !== undefined && maxReplicas <= replicas)
    ctx.addIssue({
      code: 'custom',
      path: ['maxReplicas'],
      message: `must be more than replicas (${replicas}); leave it out for a fixed number`,
    })
})
export type ProvisionGateway = z.infer<typeof ProvisionGateway>

/** What a managed gateway is deployed with. */
export const GatewayParameters = Asked.omit({ name: true }).extend({
  image: z.string().optional().describe('What the tag was found to be when it was deployed, as <tag>@<digest>'),
})
export type GatewayParameters = z.infer<typeof GatewayParameters>

/** `GET …/gateways/{gateway}/deployment`: where a managed gateway runs, and with what. */
export const Deployment = z.object({
  instanceUid: z.string(),
  cluster: z.object({ id: z.string(), name: z.string(), region: z.string(), isolationTier: IsolationTier }),
  state: z.enum(['creating', 'ready', 'deleting']),
  parameters: GatewayParameters,
})
export type Deployment = z.infer<typeof Deployment>

/** Answered with 202; the address of its events is that of the operation with `/events`. */
export const StartedOperation = z.object({ operationId: z.string(), instanceUid: z.string() })
export type StartedOperation = z.infer<typeof StartedOperation>
