import type { ResourceChange } from '../bulk.ts'
import type { BulkConnection } from '../bulk-connection.ts'
import { Refused } from './refused.ts'

const findObjects = `SELECT "scope", "kind", "name" FROM "resources" WHERE ("scope", "kind", "name") IN (VALUES {rows})`
const findParts = `SELECT r."scope", r."kind", r."name", p."part" FROM "resource_parts" p JOIN "resources" r ON r."uid" = p."uid"
  WHERE (r."scope", r."kind", r."name", p."part") IN (VALUES {rows})`
const findReferrers = `SELECT f."scope" AS "toScope", f."kind" AS "toKind", f."name" AS "toName", f."part", r."scope", r."kind", r."name", f."pointer"
  FROM "resource_refs" f JOIN "resources" r ON r."uid" = f."uid" WHERE (f."scope", f."kind", f."name") IN (VALUES {rows}) LIMIT 10`
const findReferrersOfLostParts = `SELECT f."scope" AS "toScope", f."kind" AS "toKind", f."name" AS "toName", f."part", r."scope", r."kind", r."name", f."pointer"
  FROM "resource_refs" f JOIN "resources" r ON r."uid" = f."uid"
  WHERE (f."scope", f."kind", f."name") IN (VALUES {rows}) AND f."part" <> '' AND NOT EXISTS (
    SELECT 1 FROM "resource_parts" p JOIN "resources" t ON t."uid" = p."uid"
     WHERE t."scope" = f."scope" AND t."kind" = f."kind" AND t."name" = f."name" AND p."part" = f."part") LIMIT 10`

type Named = { scope: string; kind: string; name: string }
type Referrer = Named & { toScope: string; toKind: string; toName: string; part: string; pointer: string }

/** After everything is written, so that objects of one batch may refer to each other in any order. */
export async function refuseBrokenReferences(connection: BulkConnection, changes: readonly ResourceChange[]): Promise<void> {
  const refs = changes.flatMap(({ type, refs }, index) => (type === 'DELETED' ? [] : refs.map((ref) => ({ ...ref, index }))))
  const whole = refs.filter(({ part }) => part === '')
  const parts = refs.filter(({ part }) => part !== '')
  const found = new Set([
    ...(await connection.all<Named>(findObjects, distinct(whole.map(({ scope, kind, name }) => [scope, kind, name])))).map(keyOf),
    ...(
      await connection.all<Named & { part: string }>(
        findParts,
        distinct(parts.map(({ scope, kind, name, part }) => [scope, kind, name, part])),
      )
    ).map(partOf),
  ])
  const missing = refs
    .filter((ref) => !found.has(ref.part === '' ? keyOf(ref) : partOf(ref)))
    .map((ref) => ({ index: ref.index, pointer: ref.pointer, detail: `there is no ${textOf(ref)}` }))
  if (missing.length > 0) throw new Refused({ outcome: 'refused', reason: 'reference_missing', violations: missing })

  const indexes = new Map(changes.map(({ row }, index) => [keyOf(row), index]))
  const keys = (type: ResourceChange['type']) =>
    changes.filter((one) => one.type === type).map(({ row }) => [row.scope, row.kind, row.name])
  const referrers = [
    ...(await connection.all<Referrer>(findReferrers, keys('DELETED'))),
    ...(await connection.all<Referrer>(findReferrersOfLostParts, keys('MODIFIED'))),
  ]
  const referenced = referrers.map(({ toScope, toKind, toName, part, scope, kind, name, pointer }) => ({
    index: indexes.get(keyOf({ scope: toScope, kind: toKind, name: toName }))!,
    pointer,
    detail:
      pointer === '/metadata/project'
        ? `${toKind} ${toName} still holds ${kind} ${name}`
        : `${textOf({ kind: toKind, name: toName, part })} is used by ${kind} ${name}${placeOf(scope, toScope)}`,
  }))
  if (referenced.length > 0) throw new Refused({ outcome: 'refused', reason: 'still_referenced', violations: referenced })
}

const distinct = (rows: string[][]): string[][] => [...new Map(rows.map((row) => [row.join('\0'), row])).values()]
const keyOf = ({ scope, kind, name }: Named): string => `${scope}\0${kind}/${name}`
const partOf = ({ part, ...named }: Named & { part: string }): string => `${keyOf(named)}/${part}`
const textOf = ({ kind, name, part }: Omit<Named, 'scope'> & { part: string }) =>
  part === '' ? `${kind} ${name}` : `key ${part} of ${kind} ${name}`

/** Where a referrer lives, for a person, where that is not beside what it refers to. */
function placeOf(scope: string, beside: string): string {
  if (scope === beside) return ''
  const [org, workspace, , project] = scope.split('/')
  return project === undefined ? ` of ${[org, workspace].filter(Boolean).join('/')}` : ` of the project ${project}`
}
