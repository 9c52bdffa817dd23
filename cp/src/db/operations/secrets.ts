import type { ResourceChange } from '../bulk.ts'
import type { BulkConnection } from '../bulk-connection.ts'
import { Refused } from './refused.ts'

// A version that is there already was given to another value meanwhile; then no row comes back.
const raiseKeys = `INSERT INTO "secret_keys" ("scope", "name", "key", "version", "updatedAt") VALUES {rows}
  ON CONFLICT ("scope", "name", "key") DO UPDATE SET "version" = excluded."version", "updatedAt" = excluded."updatedAt"
  WHERE "secret_keys"."version" < excluded."version" RETURNING "key"`
const insertValues = `INSERT INTO "secret_values" ("scope", "name", "key", "version", "secretUid", "dataKeyId", "sealed", "createdAt")
  VALUES {rows}`

/** The new values of a batch, with the versions that they were sealed for. */
export async function writeValues(connection: BulkConnection, changes: readonly ResourceChange[]): Promise<void> {
  const values = changes.flatMap(({ row: { scope }, values }) => values.map((value) => ({ ...value, scope })))
  const first = changes.find((change) => change.values.length > 0)
  if (!first) return
  const raised = await connection.all(
    raiseKeys,
    values.map(({ scope, name, key, version, createdAt }) => [scope, name, key, version, createdAt]),
  )
  if (raised.length < values.length) throw new Refused({ outcome: 'stale', kind: first.row.kind, name: first.row.name })
  await connection.run(
    insertValues,
    values.map(({ scope, name, key, version, secretUid, dataKeyId, sealed, createdAt }) => [
      scope,
      name,
      key,
      version,
      secretUid,
      dataKeyId,
      sealed,
      createdAt,
    ]),
  )
}
