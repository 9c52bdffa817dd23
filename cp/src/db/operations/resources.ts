import type { BatchOutcome, ResourceBatch, ResourceChange } from '../bulk.ts'
import type { BulkConnection, Value } from '../bulk-connection.ts'
import { insertAuditRows } from './audit.ts'
import { refuseBrokenReferences } from './references.ts'
import { Refused } from './refused.ts'
import { writeValues } from './secrets.ts'

const findVersions = `SELECT "scope", "kind", "name", "uid", "resourceVersion" FROM "resources" WHERE ("scope", "kind", "name") IN (VALUES {rows})`
const addScope = 'INSERT INTO "scopes" ("scope", "changeSeq") VALUES {rows} ON CONFLICT ("scope") DO NOTHING'
const takeNumbers = `WITH v("scope", "count") AS (VALUES {rows})
  UPDATE "scopes" SET "changeSeq" = "changeSeq" + CAST(v."count" AS INTEGER) FROM v WHERE "scopes"."scope" = v."scope" RETURNING "scopes"."scope", "changeSeq"`
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

async function apply(connection: BulkConnection, { at, changes }: ResourceBatch): Promise<number[]> {
  await refuseStale(connection, changes)
  const versions = await numbers(connection, changes)
  const written = changes.map((change, index) => ({ ...change, version: versions[index]! }))
  const before = written.filter(({ type }) => type !== 'ADDED').map(({ row }) => [row.uid])
  const gone = written.filter(({ type }) => type === 'DELETED').map(({ row }) => [row.uid])
  const kept = written.filter(({ type }) => type !== 'DELETED')
  for (const statement of [deleteLabels, deleteRefs, deleteParts]) await connection.run(statement, before)
  for (const statement of [deleteResources, deleteControls, deleteHolds]) await connection.run(statement, gone)
  await connection.run(updateResources, written.filter(({ type }) => type === 'MODIFIED').map(updated))
  await connection.run(
    insertResources,
    written.filter(({ type }) => type === 'ADDED').map(({ row, version }) => inserted(row, version)),
  )
  await connection.run(
    insertLabels,
    kept.flatMap(({ row, labels }) => labels.map(([key, value]) => [row.uid, key, value])),
  )
  await connection.run(
    insertRefs,
    kept.flatMap(({ row, refs }) => refs.map(({ scope, kind, name, part, pointer }) => [row.uid, scope, kind, name, part, pointer])),
  )
  await connection.run(
    insertParts,
    kept.flatMap(({ row, parts }) => parts.map((part) => [row.uid, part])),
  )
  await writeValues(connection, kept)
  await connection.run(
    insertChanges,
    written.map(({ type, feed, row, object, version }) => [feed, version, type, row.kind, row.name, object, at]),
  )
  await insertAuditRows(
    connection,
    written.map(({ audit }) => audit),
  )
  await refuseBrokenReferences(connection, changes)
  return versions
}

const inserted = (row: ResourceChange['row'], version: number): Value[] => [
  row.uid,
  row.scope,
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

/** The next numbers of each feed, serial and without gaps, in the order of the changes. */
async function numbers(connection: BulkConnection, changes: readonly ResourceChange[]): Promise<number[]> {
  const counts = new Map<string, number>()
  for (const { feed } of changes) counts.set(feed, (counts.get(feed) ?? 0) + 1)
  // One order for all batches, so that two never wait for each other.
  const feeds = [...counts].sort()
  await connection.run(
    addScope,
    feeds.map(([feed]) => [feed, 0]),
  )
  const taken = await connection.all<{ scope: string; changeSeq: number }>(takeNumbers, feeds)
  const next = new Map(taken.map(({ scope, changeSeq }) => [scope, changeSeq - counts.get(scope)!]))
  return changes.map(({ feed }) => {
    const number = next.get(feed)! + 1
    next.set(feed, number)
    return number
  })
}

async function refuseStale(connection: BulkConnection, changes: readonly ResourceChange[]): Promise<void> {
  const stored = await versionsOf(
    connection,
    changes.map(({ row }) => row),
  )
  for (const { was, row } of changes) {
    const now = stored.get(keyOf(row))
    if ((now?.resourceVersion ?? null) !== was || (now && now.uid !== row.uid))
      throw new Refused({ outcome: 'stale', kind: row.kind, name: row.name })
  }
}

type Named = { scope: string; kind: string; name: string }
const keyOf = ({ scope, kind, name }: Named): string => `${scope}\0${kind}/${name}`

async function versionsOf(connection: BulkConnection, objects: readonly Named[]) {
  const keys = [...new Map(objects.map((object) => [keyOf(object), [object.scope, object.kind, object.name]])).values()]
  const rows = await connection.all<Named & { uid: string; resourceVersion: number }>(findVersions, keys)
  return new Map(rows.map((row) => [keyOf(row), row]))
}
