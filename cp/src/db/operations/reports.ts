import type { EventRow, ReportWrite } from '../bulk.ts'
import type { BulkConnection, Value } from '../bulk-connection.ts'

const updateGateways = `WITH v("id", "connection", "connectionChangedAt", "lastSeenAt", "description", "descriptionHash", "sessionEpoch",
  "bootId", "appliedHash", "lkgHash", "highestGeneration") AS (VALUES {rows})
  UPDATE "gateways" SET "connection" = v."connection", "connectionChangedAt" = v."connectionChangedAt", "lastSeenAt" = v."lastSeenAt",
    "description" = v."description", "descriptionHash" = v."descriptionHash", "sessionEpoch" = CAST(v."sessionEpoch" AS BIGINT),
    "bootId" = v."bootId", "appliedHash" = v."appliedHash", "lkgHash" = v."lkgHash",
    "highestGeneration" = CAST(v."highestGeneration" AS INTEGER) FROM v WHERE "gateways"."id" = v."id"`
const touchGateways = `WITH v("id", "at") AS (VALUES {rows})
  UPDATE "gateways" SET "lastSeenAt" = v."at" FROM v WHERE "gateways"."id" = v."id"`
// A gateway deleted meanwhile has no rows any more. WHERE also keeps SQLite from reading ON CONFLICT as a join.
const putServers = `WITH v("gatewayId", "server", "status", "inventoryHash", "updatedAt") AS (VALUES {rows})
  INSERT INTO "gateway_servers" ("gatewayId", "server", "status", "inventoryHash", "updatedAt")
  SELECT v."gatewayId", v."server", v."status", v."inventoryHash", v."updatedAt" FROM v
   WHERE EXISTS (SELECT 1 FROM "gateways" g WHERE g."id" = v."gatewayId")
  ON CONFLICT ("gatewayId", "server") DO UPDATE
    SET "status" = excluded."status", "inventoryHash" = excluded."inventoryHash", "updatedAt" = excluded."updatedAt"`
const deleteServers = 'DELETE FROM "gateway_servers" WHERE ("gatewayId", "server") IN (VALUES {rows})'
const putProven = `WITH v("gatewayId", "server", "serverUid", "subHash", "updatedAt") AS (VALUES {rows})
  INSERT INTO "gateway_servers" ("gatewayId", "server", "serverUid", "provenSubHash", "status", "updatedAt")
  SELECT v."gatewayId", v."server", v."serverUid", v."subHash", '{}', v."updatedAt" FROM v
   WHERE EXISTS (SELECT 1 FROM "gateways" g WHERE g."id" = v."gatewayId")
  ON CONFLICT ("gatewayId", "server") DO UPDATE
    SET "serverUid" = excluded."serverUid", "provenSubHash" = excluded."provenSubHash"
   WHERE "gateway_servers"."provenSubHash" IS DISTINCT FROM excluded."provenSubHash"
      OR "gateway_servers"."serverUid" IS DISTINCT FROM excluded."serverUid"`
const putInventories = 'INSERT INTO "inventories" ("hash", "body", "createdAt") VALUES {rows} ON CONFLICT ("hash") DO NOTHING'
const setAssignments = `WITH v("gatewayId", "generation", "state", "reason", "message", "stateAt") AS (VALUES {rows})
  UPDATE "assignments" SET "state" = v."state", "reason" = v."reason", "message" = v."message", "stateAt" = v."stateAt" FROM v
   WHERE "assignments"."gatewayId" = v."gatewayId" AND "assignments"."generation" = CAST(v."generation" AS INTEGER)`
const confirmRedemptions = `WITH v("gatewayId", "at") AS (VALUES {rows})
  UPDATE "redemptions" SET "confirmedAt" = v."at" FROM v WHERE "redemptions"."gatewayId" = v."gatewayId" AND "confirmedAt" IS NULL`
const putEvents = `INSERT INTO "events" ("id", "scope", "environment", "kind", "name", "reason", "warning", "message", "server", "gateway",
  "count", "firstAt", "lastAt") VALUES {rows}
  ON CONFLICT ("id") DO UPDATE SET "message" = excluded."message", "count" = excluded."count", "lastAt" = excluded."lastAt"`
const deleteEvents = 'DELETE FROM "events" WHERE "id" IN (VALUES {rows})'

/** One row for one statement; rows that share a key must keep their order. */
type Row = { statement: string; keys: string[]; values: Value[] }

/** Writes what gateways reported, all of it in one transaction. */
export async function writeReports(connection: BulkConnection, writes: readonly ReportWrite[]): Promise<void> {
  await connection.transaction(async () => {
    for (const statements of inOrder(writes)) for (const [statement, rows] of statements) await connection.run(statement, rows)
  })
}

/** Rows put together by their statement, in as few rounds as leave writes of the same thing one after the other. */
function* inOrder(writes: readonly ReportWrite[]): Generator<Map<string, Value[][]>> {
  let round = new Map<string, Value[][]>()
  let taken = new Set<string>()
  for (const { statement, keys, values } of writes.flatMap(rowsOf)) {
    if (keys.some((key) => taken.has(key))) {
      yield round
      round = new Map()
      taken = new Set()
    }
    for (const key of keys) taken.add(key)
    const rows = round.get(statement)
    if (rows) rows.push(values)
    else round.set(statement, [values])
  }
  yield round
}

function rowsOf(write: ReportWrite): Row[] {
  switch (write.op) {
    case 'gateway':
      return [{ statement: updateGateways, keys: [`gateway ${write.id}`], values: gatewayValues(write) }]
    case 'lastSeen':
      return write.ids.map((id) => ({ statement: touchGateways, keys: [`gateway ${id}`], values: [id, write.at] }))
    case 'server':
      return [
        {
          statement: putServers,
          keys: [`server ${write.gatewayId}/${write.server}`],
          values: [write.gatewayId, write.server, write.status, write.inventoryHash, write.updatedAt],
        },
      ]
    case 'serverGone':
      return [
        {
          statement: deleteServers,
          keys: [`server ${write.gatewayId}/${write.server}`, `proven ${write.gatewayId}/${write.server}`],
          values: [write.gatewayId, write.server],
        },
      ]
    case 'proven':
      return write.servers.map(({ server, serverUid, subHash }) => ({
        statement: putProven,
        keys: [`proven ${write.gatewayId}/${server}`],
        values: [write.gatewayId, server, serverUid, subHash, write.updatedAt],
      }))
    case 'inventory':
      return [{ statement: putInventories, keys: [`inventory ${write.hash}`], values: [write.hash, write.body, write.createdAt] }]
    case 'assignment':
      return [
        {
          statement: setAssignments,
          keys: [`assignment ${write.gatewayId}/${write.generation}`],
          values: [write.gatewayId, write.generation, write.state, write.reason, write.message, write.stateAt],
        },
      ]
    case 'confirmed':
      return [{ statement: confirmRedemptions, keys: [`redemption ${write.gatewayId}`], values: [write.gatewayId, write.at] }]
    case 'event':
      return [{ statement: putEvents, keys: [`event ${write.row.id}`], values: eventValues(write.row) }]
    case 'eventGone':
      return [{ statement: deleteEvents, keys: [`event ${write.id}`], values: [write.id] }]
  }
}

function gatewayValues({ id, values }: Extract<ReportWrite, { op: 'gateway' }>): Value[] {
  return [
    id,
    values.connection,
    values.connectionChangedAt,
    values.lastSeenAt,
    values.description,
    values.descriptionHash,
    values.sessionEpoch,
    values.bootId,
    values.appliedHash,
    values.lkgHash,
    values.highestGeneration,
  ]
}

const eventValues = (row: EventRow): Value[] => [
  row.id,
  row.scope,
  row.environment,
  row.kind,
  row.name,
  row.reason,
  row.warning,
  row.message,
  row.server,
  row.gateway,
  row.count,
  row.firstAt,
  row.lastAt,
]
