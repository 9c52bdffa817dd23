import { z } from 'zod'
import { configFailures, configStates, connectionStates, healthStates } from '../status.ts'
import { Condition, type KindDeclaration, type Resource } from './kind.ts'

export const GatewaySpec = z.object({
  origin: z.enum(['enrolled', 'managed']),
  instanceUid: z.string(),
})
export type GatewaySpec = z.infer<typeof GatewaySpec>

/** A configuration by its place in the history of one gateway; `hash` is lower-case hex of SHA-256. */
const ConfigPoint = z.object({ generation: z.number().int(), hash: z.string(), at: z.string().optional() })

/** A gateway that was rolled back to `generation` by hand: nothing newer reaches it until somebody resumes it. */
export const Pin = z.object({
  generation: z.number().int(),
  hash: z.string(),
  since: z.string(),
  by: z.string(),
})
export type Pin = z.infer<typeof Pin>

export const GatewayStatus = z.object({
  observedGeneration: z.number().int(),
  /** The three axes are three facts and never one badge. */
  connection: z.enum(connectionStates),
  config: z.object({
    /** `waiting`: a newer config exists and the gateway has not answered it yet; `none`: there is no config. */
    state: z.enum([...configStates, 'waiting', 'none']),
    reason: z.enum(configFailures).optional(),
    message: z.string().optional(),
    desired: ConfigPoint.optional(),
    applied: ConfigPoint.optional(),
    lkg: ConfigPoint.optional(),
    heldBack: z.array(z.object({ server: z.string(), reason: z.string(), message: z.string(), since: z.string() })),
    /** `waiting`: servers of which another revision, or their absence, waits for `resume`. */
    pinned: Pin.extend({ waiting: z.array(z.string()) }).optional(),
  }),
  health: z.enum(healthStates),
  servers: z.object({ ready: z.number().int(), total: z.number().int() }),
  activeSessions: z.number().int(),
  memoryRssBytes: z.number().optional(),
  version: z.string().optional(),
  platform: z.string().optional(),
  hostname: z.string().optional(),
  endpoints: z.array(z.string()),
  reportedLabels: z.record(z.string(), z.string()),
  bootId: z.string().optional(),
  sessionEpoch: z.number().int(),
  enrolledAt: z.string(),
  /** How it proves who it is; the serial is lower-case hex. A bearer does not expire, it is revoked. */
  credential: z.object({
    kind: z.enum(['certificate', 'bearer']),
    serial: z.string().optional(),
    notAfter: z.string().optional(),
    renewals: z.number().int().optional(),
    recoveries: z.number().int().optional(),
  }),
  connectedAt: z.string().optional(),
  /** Of any frame; at most a minute old for a gateway that is online. */
  lastSeenAt: z.string().optional(),
  conditions: z.array(Condition),
})
export type GatewayStatus = z.infer<typeof GatewayStatus>

const status = (resource: Resource) => resource.status as Partial<GatewayStatus>

/** Where the config is, and that it stays there. */
function configWord(resource: Resource): string {
  const { state = 'none', pinned } = status(resource).config ?? {}
  return pinned ? `${state} (pinned)` : state
}

const shortHash = (hash: string | undefined) => hash?.slice(0, 8) ?? '-'

export const gatewayKind: KindDeclaration = {
  kind: 'Gateway',
  plural: 'gateways',
  aliases: ['gateway', 'gw'],
  scope: 'workspace',
  virtual: true,
  description: 'One enrolled gateway agent. Its labels are set by the enrollment and by operators.',
  specVersion: 1,
  spec: GatewaySpec,
  status: GatewayStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'environment', value: (resource) => resource.metadata.environment ?? '' },
    { name: 'connection', value: (resource) => status(resource).connection ?? 'unknown' },
    { name: 'config', value: configWord },
    { name: 'health', value: (resource) => status(resource).health ?? 'unknown' },
    { name: 'servers', value: (resource) => `${status(resource).servers?.ready ?? 0}/${status(resource).servers?.total ?? 0}` },
    { name: 'version', value: (resource) => status(resource).version ?? '' },
    { name: 'last-seen', value: (resource) => status(resource).lastSeenAt ?? '' },
    { name: 'applied', wide: true, value: (resource) => shortHash(status(resource).config?.applied?.hash) },
    { name: 'desired', wide: true, value: (resource) => shortHash(status(resource).config?.desired?.hash) },
    { name: 'pinned', wide: true, value: (resource) => status(resource).config?.pinned?.generation.toString() ?? '' },
    { name: 'endpoint', wide: true, value: (resource) => status(resource).endpoints?.[0] ?? '' },
    { name: 'credential-until', wide: true, value: (resource) => status(resource).credential?.notAfter ?? '-' },
    { name: 'host', wide: true, value: (resource) => status(resource).hostname ?? '' },
  ],
  actions: {
    revoke: { access: { verb: 'delete', on: 'gateways' }, description: 'Voids the credential and ends the stream' },
  },
  upgrade: (stored) => stored,
}
