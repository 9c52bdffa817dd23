import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import type { ListQuery } from '@mcpg/proto/rest/list'
import type { SelectorTerm } from '@mcpg/proto/selectors'
import { joinSql, sql, type Db, type Sql } from '../db/db.ts'
import type { Content } from './content.ts'
import type { Position } from './cursor.ts'
import { projectsOf, scopeOfKey } from './scope.ts'
import { turn } from '../turns.ts'

/** A row of `resources`. */
export type StoredRow = {
  uid: string
  scope: string
  kind: string
  name: string
  spec: string
  specVersion: number
  labels: string
  annotations: string
  digest: string
  generation: number
  resourceVersion: number
  createdAt: string
  updatedAt: string
}

/** As much of a row as tells whether an object changed. */
export type Digest = Pick<StoredRow, 'uid' | 'scope' | 'kind' | 'name' | 'digest' | 'resourceVersion'>

/** The scopes of a list, and which names of each may be seen. */
export type Coverage = readonly { scope: string; visible: 'all' | readonly string[] }[]

export type ListFilter = { query: ListQuery; terms: SelectorTerm[]; after: Position | null; coverage: Coverage }

export type ResourceStore = ReturnType<typeof resourceStore>

export function resourceStore(read: Db['read']) {
  return { find, findMany, digests, list, count, labelled, referrers, projectScopes, allWithin }

  async function find(scope: string, kind: string, name: string): Promise<StoredRow | null> {
    return read.resource.findUnique({ where: { scope_kind_name: { scope, kind, name } } })
  }

  /** In portions, because a synchronous driver would hold everything else up for the whole of a big read. */
  async function findMany(scope: string, kind: string, names: string[]): Promise<StoredRow[]> {
    return inPortions(names, 40, (name) => read.resource.findMany({ where: { scope, kind, name: { in: name } } }))
  }

  async function digests(scope: string, kind: string, names: string[]): Promise<Digest[]> {
    const select = { uid: true, scope: true, kind: true, name: true, digest: true, resourceVersion: true }
    return inPortions(names, 200, (name) => read.resource.findMany({ where: { scope, kind, name: { in: name } }, select }))
  }

  /** Names and labels of the objects of a kind, for prune. */
  async function labelled(scope: string, kind: string): Promise<(Digest & { labels: string })[]> {
    const select = { uid: true, scope: true, kind: true, name: true, digest: true, resourceVersion: true, labels: true }
    return read.resource.findMany({ where: { scope, kind }, select, orderBy: { name: 'asc' } })
  }

  /** In the order of their kinds and names. */
  async function referrers(scope: string, kind: string, name: string): Promise<{ kind: string; name: string; part: string }[]> {
    return read.$queryRaw`
      SELECT DISTINCT r.kind, r.name, f.part FROM resource_refs f JOIN resources r ON r.uid = f.uid
       WHERE f.scope = ${scope} AND f.kind = ${kind} AND f.name = ${name} ORDER BY r.kind, r.name, f.part`
  }

  /** The scopes of the projects of a workspace that have an object of the kind. */
  async function projectScopes(workspace: string, kind: string): Promise<string[]> {
    const rows = await read.resource.findMany({
      where: { kind, scope: projectsOf(workspace) },
      select: { scope: true },
      distinct: ['scope'],
    })
    return rows.map(({ scope }) => scope).sort()
  }

  /** Everything that lives in a scope. */
  async function allWithin(scope: string): Promise<StoredRow[]> {
    return read.resource.findMany({ where: { scope }, orderBy: [{ kind: 'asc' }, { name: 'asc' }] })
  }

  /** One more than the limit, so that the caller sees whether another page follows. */
  async function list(kind: string, filter: ListFilter): Promise<StoredRow[]> {
    const { column, descending } = sortOf(filter.query)
    const direction = descending ? sql`DESC` : sql`ASC`
    const order = sql`${column} ${direction}, r.name ${direction}, r.scope ${direction}`
    return read.$queryRaw<StoredRow[]>`
      SELECT r.uid, r.scope, r.kind, r.name, r.spec, r."specVersion", r.labels, r.annotations, r.digest, r.generation, r."resourceVersion", r."createdAt", r."updatedAt"
      FROM resources r WHERE ${conditions(kind, filter)}${afterPosition(filter, column, descending)}
      ORDER BY ${order} LIMIT ${filter.query.limit + 1}`
  }

  async function count(kind: string, filter: ListFilter): Promise<number> {
    const [row] = await read.$queryRaw<
      { total: number | bigint }[]
    >`SELECT count(*) AS total FROM resources r WHERE ${conditions(kind, filter)}`
    return Number(row?.total ?? 0)
  }
}

function sortOf({ sort }: ListQuery): { column: Sql; descending: boolean; field: 'name' | 'createdAt' | 'updatedAt' } {
  const descending = sort.startsWith('-')
  const field = (descending ? sort.slice(1) : sort) as 'name' | 'createdAt' | 'updatedAt'
  const column = field === 'name' ? sql`r.name` : field === 'createdAt' ? sql`r."createdAt"` : sql`r."updatedAt"`
  return { column, descending, field }
}

/** The value of the sorted column, for the cursor of the next page. */
export const sortValue = (row: { name: string; createdAt: string; updatedAt: string }, query: ListQuery): string => row[sortOf(query).field]

function conditions(kind: string, { query, terms, coverage }: ListFilter): Sql {
  const parts = [covered(coverage), sql`r.kind = ${kind}`]
  if (query.q) parts.push(sql`r.name LIKE ${`%${query.q.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`} ESCAPE '\\'`)
  for (const term of terms) parts.push(termCondition(term))
  return joinSql(parts, ' AND ')
}

function covered(coverage: Coverage): Sql {
  const whole = coverage.filter(({ visible }) => visible === 'all').map(({ scope }) => scope)
  const parts = coverage.flatMap(({ scope, visible }) =>
    visible === 'all' || visible.length === 0 ? [] : [sql`(r.scope = ${scope} AND r.name IN (${joinSql([...visible])}))`],
  )
  if (whole.length > 0) parts.unshift(whole.length === 1 ? sql`r.scope = ${whole[0]}` : sql`r.scope IN (${joinSql(whole)})`)
  if (parts.length === 0) return sql`1 = 0`
  return parts.length === 1 ? parts[0]! : sql`(${joinSql(parts, ' OR ')})`
}

function termCondition({ key, operator, values }: SelectorTerm): Sql {
  const labelled = sql`SELECT 1 FROM resource_labels l WHERE l.uid = r.uid AND l.key = ${key}`
  if (operator === 'exists') return sql`EXISTS (${labelled})`
  if (operator === 'absent') return sql`NOT EXISTS (${labelled})`
  const valued = sql`EXISTS (${labelled} AND l.value IN (${joinSql(values)}))`
  return operator === 'in' ? valued : sql`NOT ${valued}`
}

/** The first comparison says nothing new; it lets the page begin in the middle of an index. */
function afterPosition({ after }: ListFilter, column: Sql, descending: boolean): Sql {
  if (!after) return sql``
  const than = descending ? sql`<` : sql`>`
  return sql` AND ${column} ${than}= ${after.value} AND (${column} ${than} ${after.value} OR (${column} = ${after.value} AND (r.name ${than} ${after.name} OR (r.name = ${after.name} AND r.scope ${than} ${after.scope}))))`
}

async function inPortions<T>(names: string[], size: number, readPortion: (names: string[]) => Promise<T[]>): Promise<T[]> {
  const found: T[] = []
  for (let from = 0; from < names.length; from += size) {
    found.push(...(await readPortion(names.slice(from, from + size))))
    await turn()
  }
  return found
}

/** A row as its envelope, with the status that somebody else knows. */
export function resourceOf(declaration: KindDeclaration, row: StoredRow, status: Record<string, unknown> = {}): Resource {
  const stored = JSON.parse(row.spec) as Record<string, unknown>
  const current = row.specVersion < declaration.specVersion ? declaration.upgrade(stored, row.specVersion) : stored
  const content = {
    labels: JSON.parse(row.labels) as Record<string, string>,
    annotations: JSON.parse(row.annotations) as Record<string, string>,
    spec: current as Record<string, unknown>,
  }
  return envelopeOf(row, content, status)
}

/** The same when the content is at hand and need not be parsed again. */
export function envelopeOf(row: StoredRow, { labels, annotations, spec }: Content, status: Record<string, unknown> = {}): Resource {
  const { kind, name, uid, generation, resourceVersion, createdAt, updatedAt } = row
  const version = String(resourceVersion)
  const metadata = { name, uid, ...scopeOfKey(row.scope), labels, annotations, generation, resourceVersion: version, createdAt, updatedAt }
  return { kind, metadata, spec, status }
}
