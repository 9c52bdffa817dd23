import type { Violation } from '@mcpg/proto/errors'

/** One row of the audit trail. `detail` is JSON text and never holds a value of a spec. */
export type AuditRow = {
  id: string
  at: string
  org: string | null
  workspace: string | null
  actor: string
  actorKind: string
  action: string
  kind: string | null
  name: string | null
  uid: string | null
  source: string | null
  requestId: string | null
  detail: string | null
}

/** What an object looks like in the `resources` table, without what the transaction decides (its `resourceVersion`). */
export type ResourceRow = {
  uid: string
  kind: string
  name: string
  spec: string
  specVersion: number
  labels: string
  annotations: string
  digest: string
  generation: number
  createdAt: string
  updatedAt: string
}

/**
 * One change of a batch. `was` is the version the plan was made from (null: there was none); the batch is stale when the table says
 * otherwise. `object` is the envelope as JSON text without its resourceVersion, for the watch history.
 */
export type ResourceChange = {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  was: number | null
  row: ResourceRow
  labels: [key: string, value: string][]
  refs: { kind: string; name: string; pointer: string }[]
  object: string
  audit: AuditRow
}

/** An atomic batch of one scope. */
export type ResourceBatch = { scope: string; at: string; changes: ResourceChange[] }

export type BatchOutcome =
  | { outcome: 'committed'; versions: number[] }
  | { outcome: 'stale'; kind: string; name: string }
  | { outcome: 'refused'; reason: 'reference_missing' | 'still_referenced'; violations: (Violation & { index: number })[] }

/** Work of the writer thread, one at a time. */
export type BulkRequest = { op: 'applyResources'; batch: ResourceBatch } | { op: 'appendAudit'; rows: AuditRow[] }
export type BulkReply = { ok: true; value: unknown } | { ok: false; code: string | undefined; message: string }
