import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { kinds } from '@mcpg/proto/kinds'
import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import type { ApplyRequest, ApplyResponse } from '@mcpg/proto/rest/apply'
import type { ListQuery, ResourceList } from '@mcpg/proto/rest/list'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db } from '../db/db.ts'
import { invalid } from '../http/problems.ts'
import { applyObjects } from './apply.ts'
import type { Content } from './content.ts'
import { committer } from './commit.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { isRecord } from './differ.ts'
import { mergePatch } from './merge-patch.ts'
import type { Placing } from './placements.ts'
import { contentOf, planDelete, type Planned } from './plan.ts'
import { scopeKey, type WorkspaceScope } from './scope.ts'
import { readSelector } from './selector.ts'
import { resourceOf, resourceStore, sortValue, type StoredRow } from './store.ts'
import { turn } from '../turns.ts'
import { validateObject } from './validate.ts'
import { planObject, type Vault } from './vault.ts'
import type { VirtualKind, VirtualQuery, VirtualScope } from './virtual.ts'
import { pageOf } from './virtual-list.ts'

export type ActionCall = { caller: Caller; scope: WorkspaceScope; resource: Resource; body: unknown }
/** Does what the verb says; the engine answers with the object as it is afterwards, or with what the action declares as its answer. */
export type ActionHandler = (call: ActionCall) => Promise<object | void>
export type WriteOptions = {
  dryRun?: boolean
  ifMatch?: string | undefined
  /** Audit verb when it is not create, update or delete. */ verb?: string
}

export type Resources = ReturnType<typeof resourceEngine>

/** The one engine behind every kind: rows for stored kinds, rooms for virtual ones. */
export function resourceEngine({
  db,
  audit,
  changes,
  clock,
  requireWorkspace,
}: {
  db: Db
  audit: Audit
  changes: Changes
  clock: Clock
  requireWorkspace: (scope: WorkspaceScope) => Promise<void>
}) {
  const store = resourceStore(db.read)
  const { commit } = committer({ db, audit, changes, clock })
  const virtual = new Map<string, VirtualKind>()
  const statuses = new Map<string, (resource: Resource) => object | Promise<object>>()
  const placements = new Map<string, Placing>()
  const actions = new Map<string, ActionHandler>()
  const vaults = new Map<string, Vault>()

  return {
    list,
    listVirtual,
    get,
    create,
    replace,
    patch,
    update,
    remove,
    apply,
    act,
    present,
    everything,
    /** The kinds that can be read here: stored ones and those whose room has come. */
    known: () => kinds.filter((one) => !one.virtual || virtual.has(one.kind)),
    virtualKind: (kind: string) => virtual.get(kind),
    /** A room brings its virtual kind. */
    addVirtual: (kind: VirtualKind) => void virtual.set(kind.declaration.kind, kind),
    /** A room tells the status of the objects of a stored kind. */
    addStatus: (kind: string, statusOf: (resource: Resource) => object | Promise<object>) => void statuses.set(kind, statusOf),
    /** A room tells which gateways would run objects of a stored kind; shown by plan and apply. */
    addPlacement: (kind: string, placing: Placing) => void placements.set(kind, placing),
    /** A room brings the behaviour of an action that the kind declares. */
    addAction: (kind: string, name: string, handler: ActionHandler) => void actions.set(`${kind}/${name}`, handler),
    hasAction: (kind: string, name: string) => actions.has(`${kind}/${name}`),
    /** A room keeps the values of its kind that may not stand in a spec. */
    addVault: (kind: string, vault: Vault) => void vaults.set(kind, vault),
    /** Objects that name this one, with the part of it that they name. */
    referrers: (scope: WorkspaceScope, kind: string, name: string) => store.referrers(scopeKey(scope), kind, name),
  }

  async function list(caller: Caller, declaration: KindDeclaration, scope: WorkspaceScope, query: ListQuery): Promise<ResourceList> {
    await requireWorkspace(scope)
    if (declaration.virtual) return listVirtual(caller, declaration, scope, query)
    const filter = {
      query,
      terms: readSelector(query.labelSelector, '/querystring/labelSelector'),
      after: readCursor(query),
      visible: caller.visible('view', declaration.plural),
    }
    const key = scopeKey(scope)
    const rows = await store.list(key, declaration.kind, filter)
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
      ...(more ? { nextCursor: writeCursor(query, { value: sortValue(lastRow, query), name: lastRow.name }) } : {}),
      total: await store.count(key, declaration.kind, filter),
    }
  }

  async function listVirtual(
    caller: Caller,
    declaration: KindDeclaration,
    scope: VirtualScope,
    query: ListQuery & Pick<VirtualQuery, 'server'>,
  ): Promise<ResourceList> {
    const all = await roomOf(declaration).list(caller, scope, query)
    return pageOf(all, {
      query,
      terms: readSelector(query.labelSelector, '/querystring/labelSelector'),
      visible: caller.visible('view', declaration.plural),
    })
  }

  async function get(caller: Caller, declaration: KindDeclaration, scope: WorkspaceScope, name: string): Promise<Resource> {
    await requireWorkspace(scope)
    if (declaration.virtual) {
      const found = isVisible(caller, declaration, name) ? await roomOf(declaration).get(caller, scope, name) : null
      if (!found) throw unknown(declaration, name)
      return found
    }
    return present(resourceOf(declaration, await getRow(caller, declaration, scope, name)))
  }

  async function create(
    caller: Caller,
    declaration: KindDeclaration,
    scope: WorkspaceScope,
    input: unknown,
    options: WriteOptions = {},
  ): Promise<Resource> {
    await requireWorkspace(scope)
    const valid = validateObject(declaration, input)
    return write(caller, declaration, scope, valid.metadata.name, options, (before) => {
      if (before)
        throw new McpgError('conflict', 'already_exists', `The ${declaration.kind} ${valid.metadata.name} exists already.`, {
          hint: 'Replace it with PUT, or use apply.',
        })
      return contentOf(valid)
    })
  }

  async function replace(
    caller: Caller,
    declaration: KindDeclaration,
    scope: WorkspaceScope,
    name: string,
    input: unknown,
    options: WriteOptions = {},
  ): Promise<Resource> {
    await requireWorkspace(scope)
    const valid = validateObject(declaration, input)
    if (valid.metadata.name !== name)
      throw invalid([{ pointer: '/metadata/name', detail: `must be ${name}, as in the path; objects cannot be renamed` }])
    const ifMatch = options.ifMatch ?? valid.metadata.resourceVersion
    return write(caller, declaration, scope, name, { ...options, ifMatch }, (before) => {
      if (!before || !isVisible(caller, declaration, name)) throw unknown(declaration, name)
      return contentOf(valid)
    })
  }

  async function patch(
    caller: Caller,
    declaration: KindDeclaration,
    scope: WorkspaceScope,
    name: string,
    change: unknown,
    options: WriteOptions = {},
  ): Promise<Resource> {
    await requireWorkspace(scope)
    if (!isRecord(change)) throw invalid([{ pointer: '', detail: 'a merge patch must be an object' }])
    const wanted = isRecord(change.metadata) ? change.metadata.resourceVersion : undefined
    const ifMatch = options.ifMatch ?? (typeof wanted === 'string' ? wanted : undefined)
    return update(caller, declaration, scope, name, { ...options, ifMatch }, (current) => {
      const { labels, annotations } = current.metadata
      return mergePatch({ metadata: { name, labels, annotations }, spec: current.spec }, change)
    })
  }

  /** Replaces an object by what `make` answers for its present content, again if somebody else was faster. */
  async function update(
    caller: Caller,
    declaration: KindDeclaration,
    scope: WorkspaceScope,
    name: string,
    options: WriteOptions,
    make: (current: Resource) => unknown,
  ): Promise<Resource> {
    return write(caller, declaration, scope, name, options, (before) => {
      if (!before || !isVisible(caller, declaration, name)) throw unknown(declaration, name)
      const valid = validateObject(declaration, make(resourceOf(declaration, before)))
      if (valid.metadata.name !== name) throw invalid([{ pointer: '/metadata/name', detail: 'objects cannot be renamed' }])
      return contentOf(valid)
    })
  }

  async function remove(
    caller: Caller,
    declaration: KindDeclaration,
    scope: WorkspaceScope,
    name: string,
    options: WriteOptions = {},
  ): Promise<void> {
    await requireWorkspace(scope)
    if (declaration.virtual) {
      const room = roomOf(declaration)
      if (!room.delete) throw new McpgError('unsupported', 'not_deletable', `Objects of the kind ${declaration.kind} cannot be deleted.`)
      if (options.dryRun) return void (await get(caller, declaration, scope, name))
      return room.delete(caller, scope, name)
    }
    await commit(caller, scopeKey(scope), options, async () => {
      const before = await getRow(caller, declaration, scope, name)
      refuseStale(before, options.ifMatch)
      return [planDelete(declaration, before)]
    })
  }

  async function apply(caller: Caller, scope: WorkspaceScope, request: unknown, { dryRun = false } = {}): Promise<ApplyResponse> {
    await requireWorkspace(scope)
    return applyObjects({ store, commit, vaults, placements, now }, caller, scope, request as ApplyRequest, dryRun)
  }

  async function act(
    caller: Caller,
    declaration: KindDeclaration,
    scope: WorkspaceScope,
    name: string,
    action: string,
    body: unknown,
  ): Promise<object> {
    const handler = actions.get(`${declaration.kind}/${action}`)
    if (!handler) throw new Error(`nobody brought the action ${declaration.kind}/${action}`)
    const resource = await get(caller, declaration, scope, name)
    const answer = await handler({ caller, scope, resource, body })
    return answer ?? get(caller, declaration, scope, name)
  }

  /** An object with its present status. */
  async function present(resource: Resource): Promise<Resource> {
    const statusOf = statuses.get(resource.kind)
    return statusOf ? { ...resource, status: (await statusOf(resource)) as Record<string, unknown> } : resource
  }

  /** All objects of a kind that the caller may see, for the beginning of a watch. */
  async function everything(caller: Caller, declaration: KindDeclaration, scope: WorkspaceScope): Promise<Resource[]> {
    const query: ListQuery = { limit: 500, sort: 'name' }
    if (declaration.virtual)
      return (await roomOf(declaration).list(caller, scope, query)).filter(({ metadata }) => isVisible(caller, declaration, metadata.name))
    const items: Resource[] = []
    for (;;) {
      const page = await list(caller, declaration, scope, query)
      items.push(...page.items)
      if (page.nextCursor === undefined) return items
      query.cursor = page.nextCursor
    }
  }

  async function write(
    caller: Caller,
    declaration: KindDeclaration,
    scope: WorkspaceScope,
    name: string,
    options: WriteOptions,
    decide: (before: StoredRow | null) => Content,
  ): Promise<Resource> {
    const key = scopeKey(scope)
    const [planned, version] = await commit(caller, key, options, async () => {
      const before = await store.find(key, declaration.kind, name)
      if (before) refuseStale(before, options.ifMatch)
      const { planned, violations } = await planObject(vaults, declaration, {
        scope: key,
        name,
        before,
        content: decide(before),
        at: now(),
      })
      if (violations.length > 0) throw invalid(violations)
      return [planned]
    }).then(({ plan, versions }) => [plan[0] as Planned, versions[0]] as const)
    const row = planned.after ?? planned.before!
    return present(resourceOf(declaration, version === undefined ? row : { ...row, resourceVersion: version }))
  }

  async function getRow(caller: Caller, declaration: KindDeclaration, scope: WorkspaceScope, name: string): Promise<StoredRow> {
    const row = isVisible(caller, declaration, name) ? await store.find(scopeKey(scope), declaration.kind, name) : null
    if (!row) throw unknown(declaration, name)
    return row
  }

  function roomOf(declaration: KindDeclaration): VirtualKind {
    const room = virtual.get(declaration.kind)
    if (!room) throw new Error(`nobody brought the virtual kind ${declaration.kind}`)
    return room
  }

  function now(): string {
    return new Date(clock.now()).toISOString()
  }
}

function isVisible(caller: Caller, declaration: KindDeclaration, name: string): boolean {
  const names = caller.visible('view', declaration.plural)
  return names === 'all' || names.includes(name)
}

function unknown({ kind, plural }: KindDeclaration, name: string): McpgError {
  return new McpgError('not_found', `${kind.toLowerCase()}_unknown`, `There is no ${kind} ${name}.`, { hint: `mcpg-ctl get ${plural}` })
}

/** `If-Match` in its forms: a version, quoted, weak, a list of them, or `*`. */
export function refuseStale({ name, resourceVersion }: Pick<StoredRow, 'name' | 'resourceVersion'>, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return
  const versions = ifMatch.split(',').map((tag) => tag.trim().replace(/^(W\/)?"(.*)"$/, '$2'))
  if (versions.includes(String(resourceVersion))) return
  throw new McpgError(
    'conflict',
    'version_stale',
    `${name} was changed meanwhile: it is at version ${resourceVersion}, the request expects ${versions.join(' or ')}.`,
    {
      status: 412,
      hint: 'Read it again, repeat the change on what it says now, and send that.',
    },
  )
}
