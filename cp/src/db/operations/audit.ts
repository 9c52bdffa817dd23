import type { AuditRow, SealBatch } from '../bulk.ts'
import type { BulkConnection, Value } from '../bulk-connection.ts'

const insertAudit = `INSERT INTO "audit" ("id", "at", "org", "workspace", "actor", "actorKind", "action", "kind", "name", "uid", "source",
  "requestId", "detail", "impersonator", "beforeDigest", "afterDigest") VALUES {rows}`

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
  row.impersonator,
  row.beforeDigest,
  row.afterDigest,
]

/** To be called in a transaction. */
export async function insertAuditRows(connection: BulkConnection, rows: readonly AuditRow[]): Promise<void> {
  await connection.run(insertAudit, rows.map(valuesOf))
}

export async function appendAudit(connection: BulkConnection, rows: readonly AuditRow[]): Promise<number> {
  await connection.transaction(() => insertAuditRows(connection, rows))
  return rows.length
}

const link = `WITH "links" ("id", "seq", "hash") AS (VALUES {rows})
  UPDATE "audit" SET "seq" = CAST("links"."seq" AS INTEGER), "hash" = "links"."hash" FROM "links" WHERE "audit"."id" = "links"."id"`
const insertSeal = 'INSERT INTO "audit_seals" ("org", "kind", "seq", "hash", "at", "detail", "signature", "keyId") VALUES {rows}'

export async function sealAudit(connection: BulkConnection, { links, seal }: SealBatch): Promise<void> {
  const { org, kind, seq, hash, at, detail, signature, keyId } = seal
  await connection.transaction(async () => {
    await connection.run(
      link,
      links.map((one) => [one.id, one.seq, one.hash]),
    )
    await connection.run(insertSeal, [[org, kind, seq, hash, at, detail, signature, keyId]])
  })
}
