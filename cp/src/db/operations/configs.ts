import type { AssignmentRow, ConfigBatch, HoldRow } from '../bulk.ts'
import type { BulkConnection, Value } from '../bulk-connection.ts'

const deleteHolds = 'DELETE FROM "server_holds" WHERE ("gatewayId", "serverUid") IN (VALUES {rows})'
const deleteAssignments = `WITH v("gatewayId", "generation") AS (VALUES {rows})
  DELETE FROM "assignments" WHERE ("gatewayId", "generation") IN (SELECT v."gatewayId", CAST(v."generation" AS INTEGER) FROM v)`
const insertDocuments = 'INSERT INTO "configs" ("hash", "bytes", "createdAt") VALUES {rows} ON CONFLICT ("hash") DO NOTHING'
const insertRevisions = `INSERT INTO "server_revisions" ("serverUid", "subHash", "entry", "createdAt") VALUES {rows}
  ON CONFLICT ("serverUid", "subHash") DO NOTHING`
const insertAssignments = `INSERT INTO "assignments" ("gatewayId", "generation", "configHash", "signedHeader", "signature", "signingKeyId",
  "probationMs", "force", "changeSeq", "createdAt", "state", "reason", "message", "stateAt", "cause") VALUES {rows}`
const insertHoldRows = `INSERT INTO "server_holds" ("gatewayId", "serverUid", "subHash", "server", "reason", "message", "since", "evidence")
  VALUES {rows} ON CONFLICT ("gatewayId", "serverUid", "subHash") DO NOTHING`
// Never what a gateway runs or may fall back to.
const forgetGenerations = `WITH v("gatewayId", "generation") AS (VALUES {rows})
  DELETE FROM "assignments" WHERE ("gatewayId", "generation") IN (
    SELECT a."gatewayId", a."generation" FROM v
      JOIN "assignments" a ON a."gatewayId" = v."gatewayId" AND a."generation" <= CAST(v."generation" AS INTEGER)
     WHERE NOT EXISTS (SELECT 1 FROM "gateways" g
       WHERE g."id" = a."gatewayId" AND (g."appliedHash" = a."configHash" OR g."lkgHash" = a."configHash")))`
const forgetDocuments = `DELETE FROM "configs"
  WHERE NOT EXISTS (SELECT 1 FROM "assignments" a WHERE a."configHash" = "configs"."hash")
    AND NOT EXISTS (SELECT 1 FROM "gateways" g WHERE g."appliedHash" = "configs"."hash" OR g."lkgHash" = "configs"."hash")`

export async function recordConfigs(
  connection: BulkConnection,
  { at, lifted, replaced, documents, revisions, assignments, prune }: ConfigBatch,
): Promise<void> {
  await connection.transaction(async () => {
    await connection.run(
      deleteHolds,
      lifted.map(({ gatewayId, serverUid }) => [gatewayId, serverUid]),
    )
    await connection.run(
      deleteAssignments,
      replaced.map(({ gatewayId, generation }) => [gatewayId, generation]),
    )
    await connection.run(
      insertDocuments,
      documents.map(({ hash, bytes }) => [hash, bytes, at]),
    )
    await connection.run(
      insertRevisions,
      revisions.map(({ serverUid, subHash, entry }) => [serverUid, subHash, entry, at]),
    )
    await connection.run(insertAssignments, assignments.map(assigned))
    if (prune.gateways.length === 0) return
    await connection.run(
      forgetGenerations,
      prune.gateways.map(({ gatewayId, generation }) => [gatewayId, generation - prune.keep]),
    )
    await connection.run(forgetDocuments)
  })
}

const assigned = (row: AssignmentRow): Value[] => [
  row.gatewayId,
  row.generation,
  row.configHash,
  row.signedHeader,
  row.signature,
  row.signingKeyId,
  row.probationMs,
  row.force,
  row.changeSeq,
  row.createdAt,
  row.state,
  row.reason,
  row.message,
  row.stateAt,
  row.cause,
]

export async function insertHolds(connection: BulkConnection, rows: readonly HoldRow[]): Promise<void> {
  await connection.transaction(() =>
    connection.run(
      insertHoldRows,
      rows.map((row) => [row.gatewayId, row.serverUid, row.subHash, row.server, row.reason, row.message, row.since, row.evidence]),
    ),
  )
}
