import type { Place, Verb } from '@mcpg/proto/access'
import { findKind } from '@mcpg/proto/kinds'
import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import type { ListQuery, ResourceList } from '@mcpg/proto/rest/list'
import type { Caller } from '../access/caller.ts'
import { allowedOn } from '../access/seen.ts'
import { unknownObject as unknown } from '../access/unknown-object.ts'
import { readCursor, writeCursor } from './cursor.ts'
import type { Extensions } from './extensions.ts'
import { scopeKey, scopeOfKey, scopeOfLevel, type Scope } from './scope.ts'
import { readSelector } from './selector.ts'
import { resourceOf, sortValue, type Coverage, type ResourceStore, type StoredRow } from './store.ts'
import { turn } from '../turns.ts'
import type { VirtualQuery } from './virtual.ts'
import { pageOf } from './virtual-list.ts'

export type Reader = ReturnType<typeof reader>

/** Lists and objects as the caller may see them. `requireScope` throws `not_found` for a place that does not exist. */
export function reader({
  store,
  extensions: { roomOf, present },
  requireScope,
}: {
  store: ResourceStore
  extensions: Extensions
  requireScope: (scope: Scope) => Promise<void>
}) {
  return { list, listVirtual, get, everything, getRow, existing }

  async function list(caller: Caller, declaration: KindDeclaration, at: Scope, query: ListQuery): Promise<ResourceList> {
    const scope = await existing(declaration, at)
    if (declaration.virtual) return listVirtual(caller, declaration, scope, query)
    const filter = {
      query,
      terms: readSelector(query.labelSelector, '/querystring/labelSelector'),
      after: readCursor(query),
      coverage: await coverageOf(caller, declaration, scope),
    }
    const rows = await store.list(declaration.kind, filter)
    const page = rows.slice(0, query.limit)
    const lastRow = page.at(-1)
    const items: Resource[] = []
    for (const row of page) {
      items.push(await present(resourceOf(declaration, row)))
      await turn()
    }
    const more = rows.length > page.length && lastRow !== undefined
    return {
      items,
      ...(more ? { nextCursor: writeCursor(query, { value: sortValue(lastRow, query), name: lastRow.name, scope: lastRow.scope }) } : {}),
      total: await store.count(declaration.kind, filter),
    }
  }

  /** The scopes that a list shows: one, or for a workspace all its projects where the kind lives in them. */
  async function coverageOf(caller: Caller, { kind, plural, scope: level }: KindDeclaration, scope: Scope): Promise<Coverage> {
    const isOfProjects = level === 'project' && scope.project === undefined
    const keys = isOfProjects ? await store.projectScopes(scopeKey(scope), kind) : [scopeKey(scope)]
    return keys.map((key) => ({ scope: key, visible: caller.visible('view', plural, scopeOfKey(key)) }))
  }

  async function listVirtual(
    caller: Caller,
    declaration: KindDeclaration,
    scope: Scope,
    query: ListQuery & Pick<VirtualQuery, 'server'>,
  ): Promise<ResourceList> {
    const all = await roomOf(declaration).list(caller, scope, query)
    return pageOf(all, {
      query,
      terms: readSelector(query.labelSelector, '/querystring/labelSelector'),
      isSeen: allowedOn(caller, 'view', declaration.plural),
    })
  }

  async function get(caller: Caller, declaration: KindDeclaration, at: Scope, name: string): Promise<Resource> {
    const scope = await existing(declaration, at)
    if (declaration.virtual) {
      const found = await roomOf(declaration).get(caller, scope, name)
      if (!found || !allowedOn(caller, 'view', declaration.plural)(found.metadata)) throw unknown(declaration, name)
      return found
    }
    return present(resourceOf(declaration, await getRow(caller, declaration, scope, name)))
  }

  /** All objects of a kind that the caller may see, for the beginning of a watch. */
  async function everything(caller: Caller, declaration: KindDeclaration, scope: Scope): Promise<Resource[]> {
    const query: ListQuery = { limit: 500, sort: 'name' }
    if (declaration.virtual) {
      const isSeen = allowedOn(caller, 'view', declaration.plural)
      return (await roomOf(declaration).list(caller, scope, query)).filter(({ metadata }) => isSeen(metadata))
    }
    const items: Resource[] = []
    for (;;) {
      const page = await list(caller, declaration, scope, query)
      items.push(...page.items)
      if (page.nextCursor === undefined) return items
      query.cursor = page.nextCursor
    }
  }

  async function getRow(caller: Caller, declaration: KindDeclaration, scope: Scope, name: string, verb: Verb = 'view'): Promise<StoredRow> {
    const row = isVisible(caller, declaration, scope, name, verb) ? await store.find(scopeKey(scope), declaration.kind, name) : null
    if (!row) throw unknown(declaration, name)
    return row
  }

  /** Where objects of the kind live, seen from `at`; throws `not_found` for the first part of it that does not exist. */
  async function existing(declaration: KindDeclaration, at: Scope): Promise<Scope> {
    const scope = scopeOfLevel(declaration.scope, at)
    await requireScope(scope)
    const { org, workspace, project } = scope
    if (project !== undefined && !(await store.find(scopeKey({ org, workspace }), 'Project', project)))
      throw unknown(findKind('Project')!, project)
    return scope
  }
}

export function isVisible(caller: Caller, declaration: KindDeclaration, scope: Place, name: string, verb: Verb = 'view'): boolean {
  const names = caller.visible(verb, declaration.plural, scope)
  return names === 'all' || names.includes(name)
}
