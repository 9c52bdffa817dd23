import { createHash } from 'node:crypto'
import type { AuditRow } from '../db/db.ts'

/** A row as it stands in `audit`; `seq` and `hash` are null until it is linked. */
export type StoredAudit = AuditRow & { seq: number | null; hash: string | null }

/** What a signature in the chain says. */
export type Mark = { org: string; kind: string; seq: number; hash: string; at: string; detail: string }

/** What stands before the first row. */
export const origin = ''

/** SHA-256 in hex over the row before, the place of this one and every column that tells something. */
export function linkOf(previous: string, seq: number, row: AuditRow): string {
  const told = [row.id, row.at, row.org, row.workspace, row.actor, row.actorKind, row.impersonator, row.action, row.kind, row.name, row.uid]
  const evidence = [row.source, row.requestId, row.beforeDigest, row.afterDigest, row.detail]
  return createHash('sha256')
    .update(JSON.stringify([previous, seq, ...told, ...evidence]))
    .digest('hex')
}

/** The text that is signed for a mark. */
export const markText = ({ org, kind, seq, hash, at, detail }: Mark): string => JSON.stringify([org, kind, seq, hash, at, detail])

/** Rows of no organization have a chain of their own, `''`. */
export const orgColumn = (org: string): string | null => (org === '' ? null : org)
