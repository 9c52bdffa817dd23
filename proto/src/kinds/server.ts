import parseArgv from 'string-argv'
import { z } from 'zod'
import { Duration } from '../durations.ts'
import { auditLevels } from '../gateway-config.ts'
import { Name } from '../names.ts'
import { serverStates } from '../status.ts'
import { Pin } from './gateway.ts'
import { Condition, type KindDeclaration, type Reference, type Resource } from './kind.ts'
import { UpgradeAnswer, UpgradeRequest } from '../rest/upgrade.ts'
import { SecretKeyName } from './secret.ts'

const text = z.string().max(32_768)
const EnvironmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a name of an environment variable')

export const SecretKeyRef = z.strictObject({ name: Name.describe('Secret of the workspace'), key: SecretKeyName.describe('Key of it') })
export type SecretKeyRef = z.infer<typeof SecretKeyRef>

/** Something with a name and either a value or where to take one from. */
function valued(name: z.ZodString) {
  return z
    .strictObject({
      name,
      value: text.optional(),
      valueFrom: z.strictObject({ secretRef: SecretKeyRef }).optional().describe('Instead of value: a key of a secret'),
    })
    .superRefine((one, ctx) => {
      const given = (['value', 'valueFrom'] as const).filter((field) => one[field] !== undefined)
      if (given.length !== 1)
        ctx.addIssue({
          code: 'custom',
          message: `exactly one of value, valueFrom is needed, ${given.length === 0 ? 'none is given' : 'both are given'}`,
        })
    })
}

const Command = z
  .union([z.array(text).min(1), text.min(1)])
  .refine((command) => typeof command !== 'string' || hasClosedQuotes(command), 'has a quote that is not closed')
  .refine((command) => argvOf(command).length > 0 && argvOf(command)[0] !== '', 'must name a program')
  .describe('Program and arguments, as a list, or as a string split by POSIX quoting without expansion')

const PackageSource = z
  .strictObject({
    runtime: z.enum(['node', 'python']),
    name: z.string().regex(/^(@[a-z0-9-~][a-z0-9-._~]*\/)?[A-Za-z0-9-~][A-Za-z0-9-._~]*$/, 'must be a package name of the registry'),
    version: z.string().max(128).optional().describe('Exact version or range; none: resolved once per gateway and kept'),
    args: z.array(text).optional(),
    allowScripts: z.boolean().optional().describe('Run the install scripts of the package and its dependencies (off)'),
  })
  .describe('A published package, installed into the cache of the gateway and started by its own executable')

const UrlSource = z
  .strictObject({
    url: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }),
    transport: z.enum(['auto', 'streamable-http']).optional(),
    headers: z.array(valued(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header name'))).optional(),
  })
  .describe('A server that runs elsewhere and speaks Streamable HTTP')

const EnvironmentVariable = valued(EnvironmentName)

const Placement = z
  .strictObject({
    environments: z.array(z.string()).min(1).optional().describe('Names of environments; none: all of the workspace'),
    gatewaySelector: z.record(z.string(), z.string()).optional().describe('Labels a gateway must have'),
  })
  .describe('Which gateways run it; absent: every gateway of the workspace')

/** Defaults of `Server.spec`. The compiler leaves a field out that has its default, so that a new field changes no hash. */
export const serverDefaults = {
  era: 'auto',
  sessions: 'identity',
  maxSessions: 16,
  forward: ['elicitation', 'sampling'],
  state: 'running',
  required: true,
  auditLevel: 'full',
  startTimeout: '60s',
  callTimeout: '60s',
  stopGrace: '5s',
} as const

export const ServerSpec = z
  .strictObject({
    command: Command.optional(),
    package: PackageSource.optional(),
    url: UrlSource.optional(),
    env: z.array(EnvironmentVariable).optional().describe('Variables of the process'),
    inheritEnv: z.array(EnvironmentName).optional().describe('Variables of the gateway that the process may see'),
    cwd: text.optional().describe('Working folder; none: one of its own under the state dir'),
    era: z.enum(['auto', 'legacy', 'modern']).optional().describe('MCP era: legacy up to 2025-11-25, modern from 2026-07-28; auto probes'),
    sessions: z
      .enum(['identity', 'shared', 'session'])
      .optional()
      .describe(
        'Whose calls one process may serve: those of one caller (identity), of everybody (shared), of one client session (session)',
      ),
    maxSessions: z
      .number()
      .int()
      .min(1)
      .max(256)
      .optional()
      .describe('Processes (or upstream sessions) that belong to one session or caller, at once on a gateway (16)'),
    forward: z
      .array(z.enum(['sampling', 'elicitation', 'roots']))
      .refine((asked) => new Set(asked).size === asked.length, 'names something twice')
      .optional()
      .describe(
        'What the server may ask of clients in the middle of a call (sampling, elicitation). Roots can widen what a server may touch',
      ),
    placement: Placement.optional(),
    state: z.enum(['running', 'stopped']).optional(),
    required: z.boolean().optional().describe('false: neither gates a config nor the readiness of the gateway'),
    auditLevel: z
      .enum(auditLevels)
      .optional()
      .describe('What the audit trail tells of its calls: who called what (full), names as hashes (hash-only), nothing (disabled)'),
    startTimeout: Duration.optional().describe('From spawn to the proof by initialize and tools/list (60s)'),
    callTimeout: Duration.optional().describe('One call; progress resets it, 10 min at most (60s)'),
    stopGrace: Duration.optional().describe('Between SIGTERM and SIGKILL (5s)'),
  })
  .superRefine((spec, ctx) => {
    const given = serverSources.filter((source) => spec[source] !== undefined)
    if (given.length !== 1)
      ctx.addIssue({
        code: 'custom',
        message: `exactly one of command, package, url is needed, ${given.length === 0 ? 'none is given' : `${given.join(' and ')} are given`}`,
      })
    const seen = new Set<string>()
    spec.env?.forEach((variable, index) => {
      if (seen.has(variable.name))
        ctx.addIssue({ code: 'custom', path: ['env', index, 'name'], message: `${variable.name} is given twice` })
      seen.add(variable.name)
    })
    for (const field of ['env', 'inheritEnv', 'cwd'] as const)
      if (spec.url && spec[field] !== undefined)
        ctx.addIssue({ code: 'custom', path: [field], message: 'has no meaning beside url: nothing is started on the gateway' })
  })
export type ServerSpec = z.infer<typeof ServerSpec>

export const serverSources = ['command', 'package', 'url'] as const

/** Every secret that a server names, with where it does. */
function secretReferences({ env = [], url }: ServerSpec): Reference[] {
  const places = [
    ...env.map((one, index) => ({ one, pointer: `/spec/env/${index}` })),
    ...(url?.headers ?? []).map((one, index) => ({ one, pointer: `/spec/url/headers/${index}` })),
  ]
  return places.flatMap(({ one, pointer }) => {
    const secret = one.valueFrom?.secretRef
    return secret ? [{ kind: 'Secret', name: secret.name, part: secret.key, pointer: `${pointer}/valueFrom/secretRef` }] : []
  })
}

/** The argument vector of a `command`. */
export function argvOf(command: string | string[]): string[] {
  return typeof command === 'string' ? parseArgv(command) : command
}

/** A quote that is never closed would swallow the rest of the command without a word. */
function hasClosedQuotes(command: string): boolean {
  let open = ''
  for (const character of command.replaceAll(/\\./g, ''))
    if (open === character) open = ''
    else if (open === '' && (character === '"' || character === "'")) open = character
  return open === ''
}

/** What one gateway says about the server; `state` is `unknown` while nothing was reported or the gateway is not connected. */
export const ServerOnGateway = z.object({
  gateway: z.string(),
  environment: z.string(),
  state: z.enum([...serverStates, 'pending', 'unknown']),
  reason: z.string().optional(),
  message: z.string().optional(),
  ready: z.number().int(),
  desired: z.number().int(),
  restarts: z.number().int(),
  resolvedVersion: z.string().optional(),
  lastLogLines: z.array(z.string()).optional(),
  exitCode: z.number().int().optional(),
  /** Set while a revision of the server is held back on this gateway; lifted by a change or by `server restart --retry`. */
  heldBack: z.object({ reason: z.string(), message: z.string(), since: z.string(), running: z.string().optional() }).optional(),
  /** Set while the gateway is pinned to an older config in which this server is another one, or none. */
  pinned: Pin.omit({ hash: true }).optional(),
  reportedAt: z.string().optional(),
})
export type ServerOnGateway = z.infer<typeof ServerOnGateway>

export const ServerStatus = z.object({
  observedGeneration: z.number().int(),
  /** Sums over the gateways it is placed on. */
  ready: z.number().int(),
  desired: z.number().int(),
  placed: z.number().int(),
  tools: z.number().int(),
  conditions: z.array(Condition),
  gateways: z.array(ServerOnGateway),
})
export type ServerStatus = z.infer<typeof ServerStatus>

const spec = (resource: Resource) => resource.spec as ServerSpec
const status = (resource: Resource) => resource.status as Partial<ServerStatus>
const conditionOf = (resource: Resource) => status(resource).conditions?.find((one) => one.status === 'True' && one.type !== 'Available')

/** What people ask first: the worst that is known, and `stopped` where that is what was wanted. */
function stateWord(resource: Resource): string {
  if (spec(resource).state === 'stopped') return 'stopped'
  const { gateways = [], conditions = [] } = status(resource)
  if (conditions.some((one) => one.type === 'Unplaced' && one.status === 'True')) return 'unplaced'
  if (gateways.some((one) => one.heldBack)) return 'held back'
  if (gateways.some((one) => one.pinned)) return 'pinned'
  const worst = ['failed', 'unknown', 'degraded', 'pending', 'starting', 'ready'].find((state) =>
    gateways.some((one) => one.state === state),
  )
  return worst ?? 'pending'
}

function sourceOf({ command, package: source, url }: ServerSpec): string {
  if (source) return source.version ? `${source.name}@${source.version}` : source.name
  return url ? url.url : argvOf(command ?? []).join(' ')
}

export const serverKind: KindDeclaration = {
  kind: 'Server',
  plural: 'servers',
  aliases: ['server', 'srv'],
  scope: 'workspace',
  virtual: false,
  description: 'Definition of an MCP server; the gateways it is placed on run instances of it.',
  specVersion: 1,
  spec: ServerSpec,
  status: ServerStatus,
  oneOf: [...serverSources],
  sensitive: [],
  references: (stored) => secretReferences(stored as ServerSpec),
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'source', value: (resource) => sourceOf(spec(resource)) },
    { name: 'ready', value: (resource) => `${status(resource).ready ?? 0}/${status(resource).desired ?? 0}` },
    { name: 'state', value: stateWord },
    { name: 'tools', value: (resource) => String(status(resource).tools ?? 0) },
    { name: 'reason', value: (resource) => conditionOf(resource)?.reason ?? '' },
    { name: 'gateways', wide: true, value: (resource) => (status(resource).gateways ?? []).map((one) => one.gateway).join(',') },
  ],
  actions: {
    start: { access: { verb: 'run', on: 'servers' }, description: 'Sets spec.state to running' },
    stop: { access: { verb: 'run', on: 'servers' }, description: 'Sets spec.state to stopped' },
    restart: {
      access: { verb: 'run', on: 'servers' },
      description: 'Starts new instances and drains the old ones; retry lifts a hold, upgrade resolves the package version again',
      body: z.strictObject({ retry: z.boolean().optional(), upgrade: z.boolean().optional() }),
    },
    upgrade: {
      access: { verb: 'edit', on: 'servers' },
      description: 'Brings a server that was made from a template to another version of it, with what was changed since kept',
      body: UpgradeRequest,
      answer: UpgradeAnswer,
    },
  },
  upgrade: (stored) => stored,
}
