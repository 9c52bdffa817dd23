import { z } from 'zod'
import { configFailures, configStates } from '../status.ts'
import { Labels } from '../names.ts'
import { FieldDiff } from './apply.ts'

/** `PATCH …/gateways/{gateway}` replaces its labels. */
export const PatchGateway = z.strictObject({ labels: Labels })
export type PatchGateway = z.infer<typeof PatchGateway>

/** `POST …/gateways/{gateway}/rollback`: the generation to go back to. */
export const RollbackRequest = z.strictObject({ to: z.number().int().positive() })
export type RollbackRequest = z.infer<typeof RollbackRequest>

export const configReasons = [
  'change', // something that the config is compiled from was changed; `actions` says what and by whom
  'refusal', // the gateway refused a revision, which is held back there
  'rollback',
  'resume',
  'renumbered', // the same config under a number that the gateway has not seen
  'start', // compiled when the control plane started
] as const

/** What led to a generation. `actions` are those of the audit trail, newest first; `more` counts those left out. */
export const ConfigCause = z.object({
  why: z.enum(configReasons),
  /** Of a rollback: the generation that was gone back to. */
  to: z.number().int().optional(),
  by: z.string().optional(),
  actions: z.array(z.object({ action: z.string(), object: z.string(), by: z.string().optional(), at: z.string().optional() })),
  more: z.number().int(),
})
export type ConfigCause = z.infer<typeof ConfigCause>

/** How one server differs between two configs; `fields` are pointers into its entry. */
export const ConfigServerDiff = z.object({
  server: z.string(),
  result: z.enum(['added', 'changed', 'removed']),
  fields: z.array(FieldDiff),
})
export type ConfigServerDiff = z.infer<typeof ConfigServerDiff>

/** Of what stands beside the servers: projects, and the models that they name. */
export const ConfigPartDiff = ConfigServerDiff.omit({ server: true }).extend({
  kind: z.enum(['Project', 'Llm', 'ProxyModel']),
  name: z.string(),
})
export type ConfigPartDiff = z.infer<typeof ConfigPartDiff>

/** `GET …/configs/{generation}?diff={other}`: what leads from the other generation to this one. */
export const ConfigDiff = z.object({
  from: z.number().int(),
  to: z.number().int(),
  servers: z.array(ConfigServerDiff),
  others: z.array(ConfigPartDiff).default([]),
})
export type ConfigDiff = z.infer<typeof ConfigDiff>

/** One entry of a gateway's history, newest first; `GET …/configs/{generation}` adds the document, or a diff to another one. */
export const GatewayConfigEntry = z.object({
  generation: z.number().int(),
  hash: z.string(),
  state: z.enum([...configStates, 'offered', 'waiting']),
  reason: z.enum(configFailures).optional(),
  message: z.string().optional(),
  force: z.boolean(),
  servers: z.array(z.string()),
  createdAt: z.string(),
  /** Absent for generations of versions that did not note it. */
  cause: ConfigCause.optional(),
  /** The gateway is pinned to this one. */
  pinned: z.boolean().optional(),
  document: z.record(z.string(), z.unknown()).optional(),
  diff: ConfigDiff.optional(),
})
export type GatewayConfigEntry = z.infer<typeof GatewayConfigEntry>
