import type { OperationStart, StartOutcome } from '../bulk.ts'
import type { BulkConnection } from '../bulk-connection.ts'
import { insertAuditRows } from './audit.ts'
import { exceededQuotas } from './exceeded-quotas.ts'

const findObstacles = `WITH v("key", "org", "workspace", "environment", "name") AS (VALUES {rows}) SELECT
  (SELECT o."id" FROM "operations" o WHERE o."activeKey" = v."key") AS "operation",
  (SELECT m."instanceUid" FROM "managed_gateways" m WHERE m."org" = v."org" AND m."workspace" = v."workspace"
    AND m."environment" = v."environment" AND m."name" = v."name") AS "managed",
  (SELECT e."name" FROM "environments" e WHERE e."org" = v."org" AND e."workspace" = v."workspace" AND e."name" = v."environment") AS "place",
  (SELECT g."id" FROM "gateways" g WHERE g."org" = v."org" AND g."workspace" = v."workspace"
    AND g."environment" = v."environment" AND g."name" = v."name") AS "gateway" FROM v`
const reserve = `WITH v("id", "gateways", "cpu", "memory", "at") AS (VALUES {rows}),
    w AS (SELECT v."id", CAST(v."gateways" AS INTEGER) AS "gateways", CAST(v."cpu" AS BIGINT) AS "cpu", CAST(v."memory" AS BIGINT) AS "memory", v."at" FROM v)
  UPDATE "clusters" SET "gatewaysReserved" = "gatewaysReserved" + w."gateways", "cpuMillicoresReserved" = "cpuMillicoresReserved" + w."cpu",
    "memoryBytesReserved" = "memoryBytesReserved" + w."memory", "version" = "version" + 1, "updatedAt" = w."at"
    FROM w
   WHERE "clusters"."id" = w."id" AND ("state" = 'ready' OR w."gateways" = 0)
     AND "gatewaysReserved" + w."gateways" <= "gatewaysMax"
     AND ("cpuMillicoresTotal" IS NULL OR "cpuMillicoresReserved" + w."cpu" <= "cpuMillicoresTotal")
     AND ("memoryBytesTotal" IS NULL OR "memoryBytesReserved" + w."memory" <= "memoryBytesTotal")
  RETURNING "clusters"."id"`
const insertOperation = `INSERT INTO "operations" ("id", "org", "workspace", "environment", "kind", "gateway", "gatewayUid", "clusterId",
  "activeKey", "state", "phase", "step", "attempt", "compensating", "leaseOwner", "leaseUntil", "input", "data", "seq", "errorReason",
  "errorMessage", "startedBy", "createdAt", "updatedAt", "finishedAt") VALUES {rows}`
const insertEvents = `INSERT INTO "operation_events" ("operationId", "seq", "phase", "step", "status", "message", "data", "at") VALUES {rows}`
const insertReservation = `INSERT INTO "reservations" ("id", "operationId", "clusterId", "gatewayUid", "gateways", "cpuMillicores",
  "memoryBytes", "state", "expiresAt", "createdAt", "updatedAt") VALUES {rows}`
const insertManaged = `INSERT INTO "managed_gateways" ("instanceUid", "org", "workspace", "environment", "name", "clusterId", "state",
  "parameters", "createdAt", "updatedAt") VALUES {rows}`
const markDeleting = `UPDATE "managed_gateways" SET "state" = 'deleting' WHERE "instanceUid" IN (VALUES {rows})`

/** Thrown to roll back with an answer. */
class Unstarted extends Error {
  readonly answer: StartOutcome
  constructor(answer: StartOutcome) {
    super(answer.outcome)
    this.answer = answer
  }
}

/**
 * The beginning of an operation: what it needs is reserved on the first candidate that has it, and operation, reservation, first events,
 * gateway and audit row stand together, or nothing does.
 */
export async function startOperation(connection: BulkConnection, start: OperationStart): Promise<StartOutcome> {
  try {
    return await connection.transaction(() => begin(connection, start))
  } catch (error) {
    if (error instanceof Unstarted) return error.answer
    throw error
  }
}

async function begin(connection: BulkConnection, start: OperationStart): Promise<StartOutcome> {
  const { operation, reservation, events, gateway, parameters, audit, at } = start
  const { id, org, workspace, environment } = operation
  if (operation.activeKey !== null) await refuseConflicts(connection, start)
  if (reservation !== null) await refuseAboveQuota(connection, start, reservation)
  const cluster = reservation === null ? null : await reserveFirst(connection, start, reservation)
  const clusterId = cluster?.id ?? operation.clusterId
  await connection.run(insertOperation, [
    [
      id,
      org,
      workspace,
      environment,
      operation.kind,
      operation.gateway,
      operation.gatewayUid,
      clusterId,
      operation.activeKey,
      operation.state,
      operation.phase,
      operation.step,
      1,
      false,
      operation.leaseOwner,
      operation.leaseUntil,
      operation.input,
      '{}',
      events.length,
      operation.errorReason,
      operation.errorMessage,
      operation.startedBy,
      at,
      at,
      operation.finishedAt,
    ],
  ])
  await connection.run(
    insertEvents,
    events.map(({ phase, step, status, message, data }, index) => [
      id,
      index + 1,
      phase,
      step,
      status,
      message.replace('{cluster}', cluster?.name ?? ''),
      data,
      at,
    ]),
  )
  if (reservation && clusterId !== null)
    await connection.run(insertReservation, [
      [
        reservation.id,
        id,
        clusterId,
        operation.gatewayUid,
        reservation.gateways,
        reservation.cpuMillicores,
        reservation.memoryBytes,
        'held',
        reservation.expiresAt,
        at,
        at,
      ],
    ])
  if (gateway === 'new' && clusterId !== null)
    await connection.run(insertManaged, [
      [operation.gatewayUid, org, workspace, environment, operation.gateway, clusterId, 'creating', parameters, at, at],
    ])
  if (gateway === 'deleting') await connection.run(markDeleting, [[operation.gatewayUid]])
  await insertAuditRows(connection, [audit])
  return { outcome: 'started', clusterId }
}

async function refuseConflicts(connection: BulkConnection, { operation, gateway }: OperationStart): Promise<void> {
  const { org, workspace, environment, activeKey, gatewayUid } = operation
  const asked = [[activeKey, org, workspace, environment, operation.gateway]]
  const [found] = await connection.all<Record<'operation' | 'managed' | 'place' | 'gateway', string | null>>(findObstacles, asked)
  if (found?.operation) throw new Unstarted({ outcome: 'in_progress', operationId: found.operation })
  if ((found?.managed ?? null) !== (gateway === 'new' ? null : gatewayUid)) throw new Unstarted({ outcome: 'changed' })
  if (gateway !== 'new') return
  if (!found?.place) throw new Unstarted({ outcome: 'no_environment' })
  if (found.gateway) throw new Unstarted({ outcome: 'name_in_use' })
}

async function refuseAboveQuota(
  connection: BulkConnection,
  { operation }: OperationStart,
  reservation: NonNullable<OperationStart['reservation']>,
): Promise<void> {
  const exceeded = await exceededQuotas(connection, operation, reservation)
  if (exceeded.length > 0) throw new Unstarted({ outcome: 'quota', exceeded })
}

async function reserveFirst(
  connection: BulkConnection,
  { candidates, at }: OperationStart,
  { gateways, cpuMillicores, memoryBytes }: NonNullable<OperationStart['reservation']>,
): Promise<{ id: string; name: string }> {
  for (const candidate of candidates)
    if ((await connection.all(reserve, [[candidate.id, gateways, cpuMillicores, memoryBytes, at]])).length === 1) return candidate
  throw new Unstarted({ outcome: 'full' })
}
