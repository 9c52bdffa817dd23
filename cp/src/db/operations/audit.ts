import type { AuditRow } from '../bulk.ts'
import type { BulkConnection, Value } from '../bulk-connection.ts'

const insertAudit = `INSERT INTO "audit" ("id", "at", "org", "workspace", "actor", "actorKind", "action", "kind", "name", "uid", "source",
  "requestId", "detail") VALUES {rows}`

const valuesOf = (row: AuditRow): Value[] => [
  row.id,
  row.at,
  row.org,
  row.workspace,
  row.actor,
  row.actorKind,
  row.action,
  row.kind,
  row.name,
  row.uid,
  row.source,
  row.requestId,
  row.detail,
]

/** To be called in a transaction. */
export async function insertAuditRows(connection: BulkConnection, rows: readonly AuditRow[]): Promise<void> {
  await connection.run(insertAudit, rows.map(valuesOf))
}

export async function appendAudit(connection: BulkConnection, rows: readonly AuditRow[]): Promise<number> {
  await connection.transaction(() => insertAuditRows(connection, rows))
  return rows.length
}
