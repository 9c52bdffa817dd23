import type { BatchOutcome, ResourceBatch, ResourceChange } from '../bulk.ts'
import type { BulkConnection, Value } from '../bulk-connection.ts'
import { insertAuditRows } from './audit.ts'
import { refuseBrokenReferences } from './references.ts'
import { Refused } from './refused.ts'
import { writeValues } from './secrets.ts'

const findVersions = `SELECT "kind", "name", "uid", "resourceVersion" FROM "resources" WHERE ("scope", "kind", "name") IN (VALUES {rows})`
const addScope = 'INSERT INTO "scopes" ("scope", "changeSeq") VALUES {rows} ON CONFLICT ("scope") DO NOTHING'
const takeNumbers = `WITH v("scope", "count") AS (VALUES {rows})
  UPDATE "scopes" SET "changeSeq" = "changeSeq" + CAST(v."count" AS INTEGER) FROM v WHERE "scopes"."scope" = v."scope" RETURNING "changeSeq"`
const insertResources = `INSERT INTO "resources" ("uid", "scope", "kind", "name", "spec", "specVersion", "labels", "annotations", "digest",
  "generation", "createdAt", "updatedAt", "resourceVersion") VALUES {rows}`
const updateResources = `WITH v("uid", "spec", "specVersion", "labels", "annotations", "digest", "generation", "updatedAt", "resourceVersion")
  AS (VALUES {rows})
  UPDATE "resources" SET "spec" = v."spec", "specVersion" = CAST(v."specVersion" AS INTEGER), "labels" = v."labels",
    "annotations" = v."annotations", "digest" = v."digest", "generation" = CAST(v."generation" AS INTEGER), "updatedAt" = v."updatedAt",
    "resourceVersion" = CAST(v."resourceVersion" AS INTEGER) FROM v WHERE "resources"."uid" = v."uid"`
const deleteResources = 'DELETE FROM "resources" WHERE "uid" IN (VALUES {rows})'
// What only a Server has; no other uid is found there.
const deleteControls = 'DELETE FROM "server_controls" WHERE "serverUid" IN (VALUES {rows})'
const deleteHolds = 'DELETE FROM "server_holds" WHERE "serverUid" IN (VALUES {rows})'
const deleteLabels = 'DELETE FROM "resource_labels" WHERE "uid" IN (VALUES {rows})'
const deleteRefs = 'DELETE FROM "resource_refs" WHERE "uid" IN (VALUES {rows})'
const insertLabels = 'INSERT INTO "resource_labels" ("uid", "key", "value") VALUES {rows}'
const insertRefs = 'INSERT INTO "resource_refs" ("uid", "scope", "kind", "name", "part", "pointer") VALUES {rows}'
const deleteParts = 'DELETE FROM "resource_parts" WHERE "uid" IN (VALUES {rows})'
const insertParts = 'INSERT INTO "resource_parts" ("uid", "part") VALUES {rows}'
const insertChanges = 'INSERT INTO "changes" ("scope", "seq", "type", "kind", "name", "object", "at") VALUES {rows}'

/** Writes the batch in one transaction, or answers why not. `versions` are in the order of the changes. */
export async function applyResources(connection: BulkConnection, batch: ResourceBatch): Promise<BatchOutcome> {
  try {
    return { outcome: 'committed', versions: await connection.transaction(() => apply(connection, batch)) }
  } catch (error) {
    if (error instanceof Refused) return error.answer
    throw error
  }
}

async function apply(connection: BulkConnection, { scope, at, changes }: ResourceBatch): Promise<number[]> {
  await refuseStale(connection, scope, changes)
  const versions = await numbers(connection, scope, changes.length)
  const written = changes.map((change, index) => ({ ...change, version: versions[index]! }))
  const before = written.filter(({ type }) => type !== 'ADDED').map(({ row }) => [row.uid])
  const gone = written.filter(({ type }) => type === 'DELETED').map(({ row }) => [row.uid])
  const kept = written.filter(({ type }) => type !== 'DELETED')
  for (const statement of [deleteLabels, deleteRefs, deleteParts]) await connection.run(statement, before)
  for (const statement of [deleteResources, deleteControls, deleteHolds]) await connection.run(statement, gone)
  await connection.run(updateResources, written.filter(({ type }) => type === 'MODIFIED').map(updated))
  await connection.run(
    insertResources,
    written.filter(({ type }) => type === 'ADDED').map(({ row, version }) => inserted(scope, row, version)),
  )
  await connection.run(
    insertLabels,
    kept.flatMap(({ row, labels }) => labels.map(([key, value]) => [row.uid, key, value])),
  )
  await connection.run(
    insertRefs,
    kept.flatMap(({ row, refs }) => refs.map(({ kind, name, part, pointer }) => [row.uid, scope, kind, name, part, pointer])),
  )
  await connection.run(
    insertParts,
    kept.flatMap(({ row, parts }) => parts.map((part) => [row.uid, part])),
  )
  await writeValues(connection, scope, kept)
  await connection.run(
    insertChanges,
    written.map(({ type, row, object, version }) => [scope, version, type, row.kind, row.name, object, at]),
  )
  await insertAuditRows(
    connection,
    written.map(({ audit }) => audit),
  )
  await refuseBrokenReferences(connection, scope, changes)
  return versions
}

const inserted = (scope: string, row: ResourceChange['row'], version: number): Value[] => [
  row.uid,
  scope,
  row.kind,
  row.name,
  row.spec,
  row.specVersion,
  row.labels,
  row.annotations,
  row.digest,
  row.generation,
  row.createdAt,
  row.updatedAt,
  version,
]

const updated = ({ row, version }: { row: ResourceChange['row']; version: number }): Value[] => [
  row.uid,
  row.spec,
  row.specVersion,
  row.labels,
  row.annotations,
  row.digest,
  row.generation,
  row.updatedAt,
  version,
]

/** The next numbers of the scope, serial and without gaps. */
async function numbers(connection: BulkConnection, scope: string, count: number): Promise<number[]> {
  await connection.run(addScope, [[scope, 0]])
  const [row] = await connection.all<{ changeSeq: number }>(takeNumbers, [[scope, count]])
  return Array.from({ length: count }, (_, index) => row!.changeSeq - count + 1 + index)
}

async function refuseStale(connection: BulkConnection, scope: string, changes: readonly ResourceChange[]): Promise<void> {
  const stored = await versionsOf(
    connection,
    scope,
    changes.map(({ row }) => row),
  )
  for (const { was, row } of changes) {
    const now = stored.get(keyOf(row))
    if ((now?.resourceVersion ?? null) !== was || (now && now.uid !== row.uid))
      throw new Refused({ outcome: 'stale', kind: row.kind, name: row.name })
  }
}

type Named = { kind: string; name: string }
const keyOf = ({ kind, name }: Named): string => `${kind}/${name}`

async function versionsOf(connection: BulkConnection, scope: string, objects: readonly Named[]) {
  const keys = [...new Map(objects.map((object) => [keyOf(object), [scope, object.kind, object.name]])).values()]
  const rows = await connection.all<Named & { uid: string; resourceVersion: number }>(findVersions, keys)
  return new Map(rows.map((row) => [keyOf(row), row]))
}
