import type { GatewayAuditBatch, GatewayAuditRow, GatewayAuditRun } from '../bulk.ts'
import type { BulkConnection, Value } from '../bulk-connection.ts'

const insertEvents = `INSERT INTO "gateway_audit" ("id", "gatewayId", "seq", "at", "org", "workspace", "gateway", "actor", "verified",
  "action", "server", "target", "session", "client", "outcome", "requestId", "bytes", "hash") VALUES {rows}`
const putRuns = `INSERT INTO "gateway_audit_runs" ("gatewayId", "began", "org", "gateway", "because", "first", "before", "through", "hash",
  "removed", "dropped", "at", "signature", "keyId") VALUES {rows}
  ON CONFLICT ("gatewayId", "began") DO UPDATE SET "first" = excluded."first", "before" = excluded."before", "through" = excluded."through",
  "hash" = excluded."hash", "removed" = excluded."removed", "dropped" = excluded."dropped", "at" = excluded."at",
  "signature" = excluded."signature", "keyId" = excluded."keyId"`

export async function appendGatewayAudit(connection: BulkConnection, { rows, runs }: GatewayAuditBatch): Promise<void> {
  await connection.transaction(async () => {
    if (rows.length > 0) await connection.run(insertEvents, rows.map(eventValues))
    await connection.run(putRuns, runs.map(runValues))
  })
}

const eventValues = (row: GatewayAuditRow): Value[] => [
  row.id,
  row.gatewayId,
  row.seq,
  row.at,
  row.org,
  row.workspace,
  row.gateway,
  row.actor,
  row.verified,
  row.action,
  row.server,
  row.target,
  row.session,
  row.client,
  row.outcome,
  row.requestId,
  row.bytes,
  row.hash,
]

const runValues = (run: GatewayAuditRun): Value[] => [
  run.gatewayId,
  run.began,
  run.org,
  run.gateway,
  run.because,
  run.first,
  run.before,
  run.through,
  run.hash,
  run.removed,
  run.dropped,
  run.at,
  run.signature,
  run.keyId,
]
