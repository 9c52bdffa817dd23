import { z } from 'zod'

/** MIME type of the compiled document; the agent refuses another one as INVALID. */
export const configContentType = 'application/mcpg-config+json;v=1'

/** A value that does not stand in the document. A version of a key has one value for ever. */
export const SecretReference = z.strictObject({ name: z.string(), key: z.string(), version: z.number().int().positive() })
export type SecretReference = z.infer<typeof SecretReference>

/** `full` names who called what, `hash-only` replaces names by their SHA-256, `disabled` tells nothing. */
export const auditLevels = ['full', 'hash-only', 'disabled'] as const
export type AuditLevel = (typeof auditLevels)[number]

const environment = z.record(z.string(), z.union([z.string(), z.strictObject({ secretRef: SecretReference })]))
const Header = z.union([
  z.strictObject({ name: z.string(), value: z.string() }),
  z.strictObject({ name: z.string(), secretRef: SecretReference }),
])

/**
 * One server in the compiled document. Fields with their default are absent from the bytes; parsing fills them in.
 * Exactly one of command, package, url. The sub-hash of a server is SHA-256 over its canonical JSON as it stands in the document.
 */
export const ConfigServer = z
  .strictObject({
    name: z.string(),
    command: z.array(z.string()).min(1).optional(),
    package: z
      .strictObject({
        runtime: z.enum(['node', 'python']),
        name: z.string(),
        version: z.string().optional(),
        args: z.array(z.string()).default([]),
        allowScripts: z.boolean().default(false),
      })
      .optional(),
    url: z
      .strictObject({
        url: z.string(),
        transport: z.enum(['auto', 'streamable-http']).default('auto'),
        headers: z.array(Header).default([]),
      })
      .optional(),
    env: environment.default({}),
    inheritEnv: z.array(z.string()).default([]),
    cwd: z.string().optional(),
    era: z.enum(['auto', 'legacy', 'modern']).default('auto'),
    /** Whose calls one child may serve; `maxSessions` limits children that belong to somebody, `forward` what a server may ask of clients. */
    sessions: z.enum(['identity', 'shared', 'session']).default('identity'),
    maxSessions: z.number().int().default(16),
    forward: z.array(z.enum(['sampling', 'elicitation', 'roots'])).default(['sampling', 'elicitation']),
    state: z.enum(['running', 'stopped']).default('running'),
    required: z.boolean().default(true),
    /** What the audit trail tells of calls. */
    auditLevel: z.enum(auditLevels).default('full'),
    startTimeoutMs: z.number().int().default(60_000),
    callTimeoutMs: z.number().int().default(60_000),
    stopGraceMs: z.number().int().default(5_000),
    /** Raised by `server restart`: a changed number is a changed server, so a restart is make-before-break too. */
    restarts: z.number().int().default(0),
    /** Raised by `server restart --upgrade`: the version of the package is resolved again. */
    upgrades: z.number().int().default(0),
  })
  .refine((server) => [server.command, server.package, server.url].filter((source) => source !== undefined).length === 1, {
    message: 'exactly one of command, package, url is needed',
  })
export type ConfigServer = z.infer<typeof ConfigServer>

/** Every secret that a server needs for its start, in the order of the document. */
export function secretsOf({ env = {}, url }: Pick<ConfigServerInput, 'env' | 'url'>): SecretReference[] {
  return [
    ...Object.values(env).flatMap((value) => (typeof value === 'string' ? [] : [value.secretRef])),
    ...(url?.headers ?? []).flatMap((header) => ('secretRef' in header ? [header.secretRef] : [])),
  ]
}

const Tools = z.strictObject({ allow: z.array(z.string()).optional(), deny: z.array(z.string()).optional() })

/** A prompt that a project offers under its own name: a text, or a resource of another project that is read when it is asked for. */
export const ConfigPrompt = z.strictObject({
  name: z.string(),
  description: z.string().optional(),
  priority: z.number().int().default(5),
  content: z.string().optional(),
  link: z.strictObject({ server: z.string(), uri: z.string() }).optional(),
})
export type ConfigPrompt = z.infer<typeof ConfigPrompt>

/** A project, in the documents that have one of its servers; what it says of servers that are not there means nothing. */
export const ConfigProject = z.strictObject({
  name: z.string(),
  servers: z.array(z.strictObject({ name: z.string(), tools: Tools.optional(), instructions: z.string().optional() })),
  tools: Tools.optional(),
  instructions: z.string().optional(),
  prompt: z.string().optional(),
  prompts: z.array(ConfigPrompt).default([]),
  gated: z.boolean().default(false),
  pipeline: z.string().default('default'),
  llm: z.strictObject({ name: z.string(), model: z.string().optional() }).optional(),
})
export type ConfigProject = z.infer<typeof ConfigProject>
export type ConfigProjectInput = z.input<typeof ConfigProject>

const Settings = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

/**
 * A language model that a project, or the pipeline of one, names. `apiKeyRef` has no version and no gateway may fetch it: nothing there asks
 * a model yet.
 */
export const ConfigLlm = z.strictObject({
  name: z.string(),
  type: z.string(),
  model: z.string(),
  tier: z.string().optional(),
  url: z.string().optional(),
  apiKeyRef: z.strictObject({ name: z.string(), key: z.string() }).optional(),
  extra: Settings.default({}),
})
export type ConfigLlm = z.infer<typeof ConfigLlm>
export type ConfigLlmInput = z.input<typeof ConfigLlm>

/** The pipeline of a project that is no built-in one. */
export const ConfigProxyModel = z.strictObject({
  name: z.string(),
  stages: z.array(z.strictObject({ type: z.string(), options: Settings.optional() })),
  llm: z.string().optional(),
})
export type ConfigProxyModel = z.infer<typeof ConfigProxyModel>

/** The compiled document of a placement class. It names no gateway; servers, projects and what these name are sorted by name. At most 1 MiB as canonical JSON. */
export const GatewayConfig = z.strictObject({
  v: z.literal(1),
  org: z.string(),
  workspace: z.string(),
  environment: z.string(),
  servers: z.array(ConfigServer),
  /** Absent from the bytes where there is none. No sub-hash covers them: a project starts and stops no server. */
  projects: z.array(ConfigProject).default([]),
  /** What the projects here name, absent where that is nothing. */
  llms: z.array(ConfigLlm).default([]),
  proxyModels: z.array(ConfigProxyModel).default([]),
})
export type GatewayConfig = z.infer<typeof GatewayConfig>
/** The document as it is encoded: without the defaults. */
export type GatewayConfigInput = z.input<typeof GatewayConfig>
export type ConfigServerInput = z.input<typeof ConfigServer>

/** What is signed: RFC 8785 bytes of this object, Ed25519 over "mcpg-config-v1\0" and them (`docs/protocol.md`). */
export const SignedHeader = z.strictObject({
  v: z.literal(1),
  gatewayId: z.string(),
  generation: z.number().int().positive(),
  /** Lower-case hex of SHA-256 over the exact config bytes. */
  configHash: z.string().regex(/^[0-9a-f]{64}$/),
  contentType: z.string(),
  probationMs: z.number().int().nonnegative(),
  force: z.boolean(),
})
export type SignedHeader = z.infer<typeof SignedHeader>

export const signaturePrefix = 'mcpg-config-v1\0'
