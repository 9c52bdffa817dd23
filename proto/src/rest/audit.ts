import { z } from 'zod'
import { listOf } from './list.ts'

/** One thing that somebody did, or that a gateway saw (`gateway` is set; `verified`: it has checked who it was). Digests are SHA-256 of the object before and after; `seq` and `hash` come with its seal, within a second. */
export const AuditEntry = z.object({
  id: z.string(),
  at: z.string(),
  org: z.string().optional(),
  workspace: z.string().optional(),
  actor: z.string(),
  actorKind: z.string(),
  /** Of a gateway that is known: what it is called. */
  actorName: z.string().optional(),
  impersonator: z.string().optional(),
  action: z.string(),
  kind: z.string().optional(),
  name: z.string().optional(),
  uid: z.string().optional(),
  source: z.string().optional(),
  gateway: z.string().optional(),
  verified: z.boolean().optional(),
  session: z.string().optional(),
  requestId: z.string().optional(),
  beforeDigest: z.string().optional(),
  afterDigest: z.string().optional(),
  detail: z.record(z.string(), z.unknown()).optional(),
  seq: z.number().int().optional(),
  hash: z.string().optional(),
})
export type AuditEntry = z.infer<typeof AuditEntry>
export const AuditList = listOf(AuditEntry)

const Time = z.iso.datetime({ offset: true })

/** `actor` and `action` match from their beginning when they end with `*`; `target` is `kind/name`, `kind/` or a name
 * (`tool/read` for what gateways saw); `origin` leaves only what happened there; times are RFC 3339. */
export const AuditFilter = z.strictObject({
  actor: z.string().min(1).max(256).optional(),
  action: z.string().min(1).max(256).optional(),
  target: z.string().min(1).max(512).optional(),
  requestId: z.string().min(1).max(256).optional(),
  session: z.string().min(1).max(64).optional(),
  origin: z.enum(['control-plane', 'gateways']).optional(),
  since: Time.optional(),
  until: Time.optional(),
})
export type AuditFilter = z.infer<typeof AuditFilter>

/** Newest first. */
export const AuditQuery = AuditFilter.extend({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(2048).optional(),
})
export type AuditQuery = z.infer<typeof AuditQuery>

/** What was removed so far; rows up to `through` are gone on purpose. */
export const AuditPurge = z.object({
  through: z.number().int(),
  at: z.string(),
  before: z.string(),
  by: z.string(),
  removed: z.number().int(),
})
export type AuditPurge = z.infer<typeof AuditPurge>

const Problem = z.object({
  reason: z.enum(['row_missing', 'row_altered', 'seal_forged', 'signature_missing']),
  seq: z.number().int(),
  id: z.string().optional(),
  detail: z.string(),
})

/**
 * The chain of one gateway. `dropped` of its events were lost at its full queue, `removed` by a purge; `breaks` counts how often its state
 * dir was replaced by another.
 */
export const GatewayChainVerification = z.object({
  gateway: z.string(),
  gatewayId: z.string(),
  ok: z.boolean(),
  rows: z.number().int(),
  verifiedThrough: z.number().int(),
  dropped: z.number().int(),
  removed: z.number().int(),
  breaks: z.number().int(),
  problem: Problem.nullable(),
})
export type GatewayChainVerification = z.infer<typeof GatewayChainVerification>

/** `verifiedThrough` is the last row that is what was signed; `problem` is about the first that is not. */
export const AuditVerification = z.object({
  ok: z.boolean(),
  verifiedThrough: z.number().int(),
  rows: z.number().int(),
  problem: Problem.nullable(),
  unsealed: z.object({ count: z.number().int(), oldestAt: z.string().nullable() }),
  purged: AuditPurge.nullable(),
  gateways: z.array(GatewayChainVerification),
})
export type AuditVerification = z.infer<typeof AuditVerification>

export const PurgeAudit = z.strictObject({ before: Time })
export const PurgedAudit = z.object({ removed: z.number().int() })

/** What was done in one session of a client, or by one caller without sessions, at one gateway. */
export const AuditSession = z.object({
  session: z.string().optional(),
  gateway: z.string(),
  actor: z.string(),
  verified: z.boolean(),
  client: z.string().optional(),
  firstAt: z.string(),
  lastAt: z.string(),
  calls: z.number().int(),
  failed: z.number().int(),
  denied: z.number().int(),
})
export type AuditSession = z.infer<typeof AuditSession>
export const AuditSessionList = z.object({ items: z.array(AuditSession) })
export const AuditSessionQuery = AuditFilter.pick({ actor: true, since: true, until: true }).extend({
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export type AuditSessionQuery = z.infer<typeof AuditSessionQuery>
