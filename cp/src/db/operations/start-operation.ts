import type { OperationStart, StartOutcome } from '../bulk.ts'
import type { BulkConnection, Value } from '../bulk-connection.ts'
import { insertAuditRows } from './audit.ts'
import { quotaBook } from './quota-book.ts'

const findObstacles = `WITH v("key", "org", "workspace", "environment", "name") AS (VALUES {rows}) SELECT v."key",
  (SELECT o."id" FROM "operations" o WHERE o."activeKey" = v."key") AS "operation",
  (SELECT m."instanceUid" FROM "managed_gateways" m WHERE m."org" = v."org" AND m."workspace" = v."workspace"
    AND m."environment" = v."environment" AND m."name" = v."name") AS "managed",
  (SELECT e."name" FROM "environments" e WHERE e."org" = v."org" AND e."workspace" = v."workspace" AND e."name" = v."environment") AS "place",
  (SELECT g."id" FROM "gateways" g WHERE g."org" = v."org" AND g."workspace" = v."workspace"
    AND g."environment" = v."environment" AND g."name" = v."name") AS "gateway" FROM v`
const findHostnames = `SELECT "hostname", "gatewayUid" FROM "gateway_hostnames" WHERE "hostname" IN (VALUES {rows})`
const findRoom = `SELECT "id", "state", "gatewaysMax", "gatewaysReserved", "cpuMillicoresTotal", "cpuMillicoresReserved", "memoryBytesTotal",
  "memoryBytesReserved" FROM "clusters" WHERE "id" IN (VALUES {rows})`
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
const insertHostnames = `INSERT INTO "gateway_hostnames" ("hostname", "gatewayUid") VALUES {rows}`
const keepAnswer = `INSERT INTO "idempotency_keys" ("scope", "key", "requestSha256", "body", "createdAt") VALUES {rows}
  ON CONFLICT ("scope", "key") DO UPDATE SET "requestSha256" = excluded."requestSha256", "body" = excluded."body",
    "createdAt" = excluded."createdAt"`
const markDeleting = `UPDATE "managed_gateways" SET "state" = 'deleting' WHERE "instanceUid" IN (VALUES {rows})`

/** What of a start is certain once it was placed. */
type Placed = { start: OperationStart; cluster: { id: string; name: string } | null }

/**
 * The beginnings of some operations, in their order and in one transaction; each has an outcome of its own. What one needs is reserved on
 * the first candidate that has it, and operation, reservation, first events, gateway and audit row stand together, or nothing of it does.
 */
export async function startOperations(connection: BulkConnection, starts: readonly OperationStart[]): Promise<StartOutcome[]> {
  return await connection.transaction(async () => {
    const conflictOf = await conflictsOf(connection, starts)
    const hostnames = await hostnamesOf(connection, starts)
    const quotas = await quotaBook(connection, starts)
    const room = await roomOf(connection, starts)
    const placed: Placed[] = []
    const outcomes = starts.map((start): StartOutcome => {
      const conflict = conflictOf(start, placed)
      if (conflict) return conflict
      if (hostnames.isTaken(start)) return { outcome: 'hostname_in_use' }
      const exceeded = quotas.exceededBy(start)
      if (exceeded.length > 0) return { outcome: 'quota', exceeded }
      const cluster = start.reservation && room.take(start.candidates, start.reservation)
      if (start.reservation && !cluster) return { outcome: 'full' }
      quotas.take(start)
      hostnames.take(start)
      placed.push({ start, cluster })
      return { outcome: 'started', clusterId: cluster?.id ?? start.operation.clusterId }
    })
    await reserveAll(connection, room.taken(), starts[0]!.at)
    await insertAll(connection, placed)
    await connection.run(insertHostnames, hostnames.taken())
    return outcomes
  })
}

/** Why a start is none; `before` are the starts of the same transaction that are. */
async function conflictsOf(connection: BulkConnection, starts: readonly OperationStart[]) {
  type Found = Record<'key', string> & Record<'operation' | 'managed' | 'place' | 'gateway', string | null>
  const asked = new Map(
    starts.flatMap(({ operation: { activeKey, org, workspace, environment, gateway } }): [string, Value[]][] =>
      activeKey === null ? [] : [[activeKey, [activeKey, org, workspace, environment, gateway]]],
    ),
  )
  const rows = await connection.all<Found>(findObstacles, [...asked.values()])
  const found = new Map(rows.map((row) => [row.key, row]))
  return function conflictOf({ operation, gateway, knownUid }: OperationStart, before: readonly Placed[]): StartOutcome | null {
    const { activeKey, gatewayUid } = operation
    if (activeKey === null) return null
    const { operation: active, managed, place, gateway: enrolled } = found.get(activeKey)!
    const atWork = active ?? before.find(({ start }) => start.operation.activeKey === activeKey)?.start.operation.id
    if (atWork) return { outcome: 'in_progress', operationId: atWork }
    if (managed !== (gateway === 'new' ? null : (knownUid ?? gatewayUid))) return { outcome: 'changed' }
    if (gateway !== 'new') return null
    if (!place) return { outcome: 'no_environment' }
    return enrolled ? { outcome: 'name_in_use' } : null
  }
}

/** Who has the host names that are asked for; the key of their table is what counts. A start that is over as it begins takes none. */
async function hostnamesOf(connection: BulkConnection, starts: readonly OperationStart[]) {
  const asked = new Set(starts.flatMap(({ hostname }) => hostname ?? []))
  const rows = await connection.all<{ hostname: string; gatewayUid: string }>(
    findHostnames,
    [...asked].map((hostname) => [hostname]),
  )
  const owners = new Map(rows.map(({ hostname, gatewayUid }) => [hostname, gatewayUid]))
  const taken = new Map<string, string>()
  return { isTaken, take, taken: () => [...taken] }

  function isTaken({ hostname, operation: { activeKey, gatewayUid } }: OperationStart): boolean {
    return activeKey !== null && hostname !== null && (owners.get(hostname) ?? gatewayUid) !== gatewayUid
  }

  function take({ hostname, operation: { activeKey, gatewayUid } }: OperationStart): void {
    if (activeKey === null || hostname === null || owners.has(hostname)) return
    owners.set(hostname, gatewayUid)
    taken.set(hostname, gatewayUid)
  }
}

type Amounts = { gateways: number; cpuMillicores: number; memoryBytes: number }
type Free = { isReady: boolean } & Amounts

/** What is free on all candidates, from which the starts of one transaction take one after the other. */
async function roomOf(connection: BulkConnection, starts: readonly OperationStart[]) {
  type Big = number | string
  type Row = { id: string; state: string; gatewaysMax: number; gatewaysReserved: number } & Record<
    'cpuMillicoresReserved' | 'memoryBytesReserved',
    Big
  > &
    Record<'cpuMillicoresTotal' | 'memoryBytesTotal', Big | null>
  const ids = new Set(starts.flatMap(({ reservation, candidates }) => (reservation ? candidates.map(({ id }) => id) : [])))
  const rows = await connection.all<Row>(
    findRoom,
    [...ids].map((id) => [id]),
  )
  const left = (total: Big | null, reserved: Big) => (total === null ? Infinity : Number(total) - Number(reserved))
  const free = new Map(
    rows.map((row): [string, Free] => [
      row.id,
      {
        isReady: row.state === 'ready',
        gateways: row.gatewaysMax - row.gatewaysReserved,
        cpuMillicores: left(row.cpuMillicoresTotal, row.cpuMillicoresReserved),
        memoryBytes: left(row.memoryBytesTotal, row.memoryBytesReserved),
      },
    ]),
  )
  const taken = new Map<string, Amounts>()
  return { take, taken: () => taken }

  function take(candidates: OperationStart['candidates'], { gateways, cpuMillicores, memoryBytes }: Amounts) {
    for (const candidate of candidates) {
      const one = free.get(candidate.id)
      if (!one || (gateways > 0 && !one.isReady)) continue
      if (gateways > one.gateways || cpuMillicores > one.cpuMillicores || memoryBytes > one.memoryBytes) continue
      free.set(candidate.id, { ...one, ...sum(one, { gateways: -gateways, cpuMillicores: -cpuMillicores, memoryBytes: -memoryBytes }) })
      taken.set(candidate.id, sum(taken.get(candidate.id), { gateways, cpuMillicores, memoryBytes }))
      return candidate
    }
    return null
  }
}

function sum(one: Amounts | undefined, other: Amounts): Amounts {
  return {
    gateways: (one?.gateways ?? 0) + other.gateways,
    cpuMillicores: (one?.cpuMillicores ?? 0) + other.cpuMillicores,
    memoryBytes: (one?.memoryBytes ?? 0) + other.memoryBytes,
  }
}

/** The condition of the statement is what counts, whatever was read before. */
async function reserveAll(connection: BulkConnection, taken: ReadonlyMap<string, Amounts>, at: string): Promise<void> {
  const rows = [...taken].map(([id, { gateways, cpuMillicores, memoryBytes }]) => [id, gateways, cpuMillicores, memoryBytes, at])
  const reserved = await connection.all(reserve, rows)
  if (reserved.length !== rows.length) throw new Error('clusters changed while operations were placed on them')
}

async function insertAll(connection: BulkConnection, placed: readonly Placed[]): Promise<void> {
  const clusterIdOf = ({ start, cluster }: Placed) => cluster?.id ?? start.operation.clusterId
  await connection.run(
    insertOperation,
    placed.map((one) => {
      const { operation, events, at } = one.start
      return [
        operation.id,
        operation.org,
        operation.workspace,
        operation.environment,
        operation.kind,
        operation.gateway,
        operation.gatewayUid,
        clusterIdOf(one),
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
      ]
    }),
  )
  await connection.run(
    insertEvents,
    placed.flatMap(({ start: { operation, events, at }, cluster }) =>
      events.map(({ phase, step, status, message, data }, index) => [
        operation.id,
        index + 1,
        phase,
        step,
        status,
        message.replace('{cluster}', cluster?.name ?? ''),
        data,
        at,
      ]),
    ),
  )
  await connection.run(
    insertReservation,
    placed.flatMap(({ start: { operation, reservation, at }, cluster }) => {
      if (!reservation || !cluster) return []
      const { id, gateways, cpuMillicores, memoryBytes, expiresAt } = reservation
      return [[id, operation.id, cluster.id, operation.gatewayUid, gateways, cpuMillicores, memoryBytes, 'held', expiresAt, at, at]]
    }),
  )
  await connection.run(
    insertManaged,
    placed.flatMap((one) => {
      const { operation, gateway, parameters, at } = one.start
      const { gatewayUid, org, workspace, environment, gateway: name } = operation
      const clusterId = clusterIdOf(one)
      if (gateway !== 'new' || clusterId === null) return []
      return [[gatewayUid, org, workspace, environment, name, clusterId, 'creating', parameters, at, at]]
    }),
  )
  const deleting = placed.filter(({ start }) => start.gateway === 'deleting')
  await connection.run(
    markDeleting,
    deleting.map(({ start }) => [start.operation.gatewayUid]),
  )
  await connection.run(
    keepAnswer,
    placed.flatMap(({ start: { answer } }) =>
      answer ? [[answer.scope, answer.key, answer.requestDigest, answer.body, answer.createdAt]] : [],
    ),
  )
  await insertAuditRows(
    connection,
    placed.map(({ start }) => start.audit),
  )
}
