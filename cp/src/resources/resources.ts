import type { Clock } from '@mcpg/core/clock'
import type { Place, Verb } from '@mcpg/proto/access'
import { McpgError } from '@mcpg/proto/errors'
import { findKind, kinds } from '@mcpg/proto/kinds'
import type { KindDeclaration, Resource, ResourceInput } from '@mcpg/proto/kinds/kind'
import type { ApplyRequest, ApplyResponse } from '@mcpg/proto/rest/apply'
import type { ListQuery, ResourceList } from '@mcpg/proto/rest/list'
import type { Caller } from '../access/caller.ts'
import { allowedOn, refuseStranger } from '../access/seen.ts'
import { unknownObject as unknown } from '../access/unknown-object.ts'
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
import type { Rule } from './rules.ts'
import { scopeKey, scopeOfKey, scopeOfLevel, type Scope, type WorkspaceScope } from './scope.ts'
import { readSelector } from './selector.ts'
import { resourceOf, resourceStore, sortValue, type Coverage, type StoredRow } from './store.ts'
import { turn } from '../turns.ts'
import { validateObject } from './validate.ts'
import { planObject, type Vault } from './vault.ts'
import type { VirtualKind, VirtualQuery, VirtualScope } from './virtual.ts'
import { pageOf } from './virtual-list.ts'

/** `scope` is that of the object, so at the level of its kind. */
export type ActionCall<At extends Scope = WorkspaceScope> = { caller: Caller; scope: At; resource: Resource; body: unknown }
/** Does what the verb says; the engine answers with the object as it is afterwards, or with what the action declares as its answer. */
export type ActionHandler<At extends Scope = WorkspaceScope> = (call: ActionCall<At>) => Promise<object | void>
export type WriteOptions = {
  dryRun?: boolean
  ifMatch?: string | undefined
  /** Audit verb when it is not create, update or delete. */ verb?: string
  /** A deletion takes what lives in the object with it; without it, it is refused. */
  cascade?: boolean | undefined
}
/** What `writeAll` does to one object; `make` gets null for one that does not exist, and answers null for one that shall not. */
export type ObjectWrite = {
  declaration: KindDeclaration
  scope: Scope
  name: string
  make: (current: Resource | null) => ResourceInput | null
}

type Expansion = (caller: Caller, scope: Scope, objects: unknown[]) => Promise<unknown[]>

export type Resources = ReturnType<typeof resourceEngine>

/** The one engine behind every kind: rows for stored kinds, rooms for virtual ones. */
export function resourceEngine({
  db,
  audit,
  changes,
  clock,
  requireScope,
}: {
  db: Db
  audit: Audit
  changes: Changes
  clock: Clock
  /** Throws `not_found` for an organization or a workspace that does not exist. */
  requireScope: (scope: Scope) => Promise<void>
}) {
  const store = resourceStore(db.read)
  const rules = new Map<string, Rule>()
  const { commit } = committer({ db, audit, changes, clock, rules })
  const virtual = new Map<string, VirtualKind<Scope>>()
  const statuses = new Map<string, (resource: Resource) => object | Promise<object>>()
  const placements = new Map<string, Placing>()
  const actions = new Map<string, ActionHandler<Scope>>()
  const vaults = new Map<string, Vault>()
  const expansions: Expansion[] = []
  const originals = new Map<string, (scope: Scope, name: string) => ResourceInput | null>()

  return {
    list,
    listVirtual,
    get,
    create,
    replace,
    patch,
    update,
    remove,
    writeAll,
    apply,
    act,
    present,
    everything,
    /** The kinds that can be read here: stored ones and those whose room has come. */
    known: () => kinds.filter((one) => !one.virtual || virtual.has(one.kind)),
    virtualKind: (kind: string) => virtual.get(kind),
    /** A room brings its virtual kind. */
    addVirtual: <At extends Scope = VirtualScope>(kind: VirtualKind<At>) => void virtual.set(kind.declaration.kind, kind),
    /** A room tells the status of the objects of a stored kind. */
    addStatus: (kind: string, statusOf: (resource: Resource) => object | Promise<object>) => void statuses.set(kind, statusOf),
    /** A room tells which gateways would run objects of a stored kind; shown by plan and apply. */
    addPlacement: (kind: string, placing: Placing) => void placements.set(kind, placing),
    /** A room brings the behaviour of an action that the kind declares. */
    addAction: <At extends Scope = WorkspaceScope>(kind: string, name: string, handler: ActionHandler<At>) =>
      void actions.set(`${kind}/${name}`, handler as ActionHandler<Scope>),
    hasAction: (kind: string, name: string) => actions.has(`${kind}/${name}`),
    /** A room keeps the values of its kind that may not stand in a spec. */
    addVault: (kind: string, vault: Vault) => void vaults.set(kind, vault),
    /** A room tells what must hold for the objects of a kind beyond their schema. */
    addRules: (kind: string, rule: Rule) => void rules.set(kind, rule),
    /** A room tells what an object of a kind becomes again when it is deleted; null for one that goes. */
    addOriginal: (kind: string, originalOf: (scope: Scope, name: string) => ResourceInput | null) => void originals.set(kind, originalOf),
    /** A room puts what `apply` writes in place of what it takes: the objects that virtual ones are a part of. */
    addExpansion: (expand: Expansion) => void expansions.push(expand),
    /** Objects that name this one, with the part of it that they name. */
    referrers: (scope: Scope, kind: string, name: string) => store.referrers(scopeKey(scope), kind, name),
  }

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

  async function create(
    caller: Caller,
    declaration: KindDeclaration,
    at: Scope,
    input: unknown,
    options: WriteOptions = {},
  ): Promise<Resource> {
    const scope = await existing(declaration, at)
    const valid = validAt(declaration, scope, input)
    const { name } = valid.metadata
    // The route asked before the name was known.
    if (!caller.can({ verb: 'create', on: declaration.plural }, scope, name))
      throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not create the ${declaration.kind} ${name}.`)
    return write(caller, declaration, scope, name, options, (before) => {
      if (before)
        throw new McpgError('conflict', 'already_exists', `The ${declaration.kind} ${name} exists already.`, {
          hint: 'Replace it with PUT, or use apply.',
        })
      return contentOf(valid)
    })
  }

  async function replace(
    caller: Caller,
    declaration: KindDeclaration,
    at: Scope,
    name: string,
    input: unknown,
    options: WriteOptions = {},
  ): Promise<Resource> {
    const scope = await existing(declaration, at)
    const valid = validAt(declaration, scope, input)
    if (valid.metadata.name !== name)
      throw invalid([{ pointer: '/metadata/name', detail: `must be ${name}, as in the path; objects cannot be renamed` }])
    const ifMatch = options.ifMatch ?? valid.metadata.resourceVersion
    return write(caller, declaration, scope, name, { ...options, ifMatch }, (before) => {
      if (!before || !isVisible(caller, declaration, scope, name)) throw unknown(declaration, name)
      return contentOf(valid)
    })
  }

  async function patch(
    caller: Caller,
    declaration: KindDeclaration,
    at: Scope,
    name: string,
    change: unknown,
    options: WriteOptions = {},
  ): Promise<Resource> {
    const scope = await existing(declaration, at)
    if (!isRecord(change)) throw invalid([{ pointer: '', detail: 'a merge patch must be an object' }])
    const wanted = isRecord(change.metadata) ? change.metadata.resourceVersion : undefined
    const ifMatch = options.ifMatch ?? (typeof wanted === 'string' ? wanted : undefined)
    return update(caller, declaration, scope, name, { ...options, ifMatch }, (current) => {
      const { labels, annotations, project } = current.metadata
      return mergePatch({ metadata: { name, ...(project && { project }), labels, annotations }, spec: current.spec }, change)
    })
  }

  /** Replaces an object by what `make` answers for its present content, again if somebody else was faster. */
  async function update(
    caller: Caller,
    declaration: KindDeclaration,
    at: Scope,
    name: string,
    options: WriteOptions,
    make: (current: Resource) => unknown,
  ): Promise<Resource> {
    const scope = scopeOfLevel(declaration.scope, at)
    return write(caller, declaration, scope, name, options, (before) => {
      if (!before || !isVisible(caller, declaration, scope, name)) throw unknown(declaration, name)
      const valid = validAt(declaration, scope, make(resourceOf(declaration, before)))
      if (valid.metadata.name !== name) throw invalid([{ pointer: '/metadata/name', detail: 'objects cannot be renamed' }])
      return contentOf(valid)
    })
  }

  async function remove(caller: Caller, declaration: KindDeclaration, at: Scope, name: string, options: WriteOptions = {}): Promise<void> {
    const scope = await existing(declaration, at)
    if (declaration.virtual) {
      const room = roomOf(declaration)
      if (!room.delete) throw new McpgError('unsupported', 'not_deletable', `Objects of the kind ${declaration.kind} cannot be deleted.`)
      const found = await room.get(caller, scope, name)
      if (!found || !allowedOn(caller, 'delete', declaration.plural)(found.metadata)) throw unknown(declaration, name)
      if (options.dryRun) return
      return room.delete(caller, scope, name)
    }
    const original = originals.get(declaration.kind)?.(scope, name) ?? null
    await commit(caller, original ? { ...options, verb: 'reset' } : options, async () => {
      const before = await getRow(caller, declaration, scope, name, 'delete')
      refuseStale(before, options.ifMatch)
      if (original) return [(await planOne(declaration, scope, name, () => original))!]
      const within = options.cascade ? await planContents(caller, declaration, scope, name) : []
      return [...within, planDelete(declaration, before)]
    })
  }

  /** The deletions of what lives in an object; only a project holds others. */
  async function planContents(caller: Caller, { kind }: KindDeclaration, scope: Scope, name: string): Promise<Planned[]> {
    if (kind !== 'Project') return []
    const inside = { ...scope, project: name }
    const plan = (await store.allWithin(scopeKey(inside))).map((row) => planDelete(findKind(row.kind)!, row))
    const kept = plan.filter(({ declaration, name: one }) => !caller.can({ verb: 'delete', on: declaration.plural }, inside, one))
    if (kept.length > 0)
      throw new McpgError(
        'forbidden',
        'not_allowed',
        `${caller.subject} may not delete ${kept.map(({ declaration, name: one }) => `${declaration.kind} ${one}`).join(', ')} in the project.`,
      )
    return plan
  }

  /**
   * Several objects in one transaction, each as `make` answers for its present content. What the caller may do is left to whoever
   * calls this. Answers the objects as they are afterwards, null for those that are gone.
   */
  async function writeAll(caller: Caller, writes: ObjectWrite[], options: WriteOptions = {}): Promise<(Resource | null)[]> {
    const { plan, versions } = await commit(caller, options, async () => {
      const planned = []
      for (const { declaration, scope, name, make } of writes) planned.push(await planOne(declaration, scope, name, make))
      return planned.filter((one) => one !== null)
    })
    return writes.map(({ declaration, scope, name }) => {
      const index = plan.findIndex((one) => one.declaration === declaration && one.name === name && one.scope === scopeKey(scope))
      const row = plan[index]?.after ?? (plan[index]?.result === 'unchanged' ? plan[index].before : null)
      return row && resourceOf(declaration, { ...row, resourceVersion: versions[index] ?? row.resourceVersion })
    })
  }

  /** Null for an object that is not there and shall not be. */
  async function planOne(
    declaration: KindDeclaration,
    scope: Scope,
    name: string,
    make: (current: Resource | null) => ResourceInput | null,
  ): Promise<Planned | null> {
    const before = await store.find(scopeKey(scope), declaration.kind, name)
    const wanted = make(before && resourceOf(declaration, before))
    if (!wanted) return before && planDelete(declaration, before)
    return planContent(declaration, scope, name, before, contentOf(validAt(declaration, scope, wanted)))
  }

  async function planContent(
    declaration: KindDeclaration,
    scope: Scope,
    name: string,
    before: StoredRow | null,
    content: Content,
  ): Promise<Planned> {
    const write = { scope: scopeKey(scope), name, before, content, at: now() }
    const { planned, violations } = await planObject(vaults, declaration, write)
    if (violations.length > 0) throw invalid(violations)
    return planned
  }

  /** Objects of the scope and of what is around and within it: with a workspace also those of its organization and its projects. */
  async function apply(caller: Caller, scope: Scope, request: unknown, { dryRun = false } = {}): Promise<ApplyResponse> {
    refuseStranger(caller, scope)
    await requireScope(scope)
    return applyObjects(
      { store, commit, vaults, placements, now },
      caller,
      scope,
      (await expanded(caller, scope, request)) as ApplyRequest,
      dryRun,
    )
  }

  async function expanded(caller: Caller, scope: Scope, request: unknown): Promise<unknown> {
    if (!isRecord(request) || !Array.isArray(request.objects)) return request
    let objects = request.objects as unknown[]
    for (const expand of expansions) objects = await expand(caller, scope, objects)
    return { ...request, objects }
  }

  async function act(
    caller: Caller,
    declaration: KindDeclaration,
    at: Scope,
    name: string,
    action: string,
    body: unknown,
  ): Promise<object> {
    const handler = actions.get(`${declaration.kind}/${action}`)
    if (!handler) throw new Error(`nobody brought the action ${declaration.kind}/${action}`)
    const scope = scopeOfLevel(declaration.scope, at)
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

  async function write(
    caller: Caller,
    declaration: KindDeclaration,
    scope: Scope,
    name: string,
    options: WriteOptions,
    decide: (before: StoredRow | null) => Content,
  ): Promise<Resource> {
    const { plan, versions } = await commit(caller, options, async () => {
      const before = await store.find(scopeKey(scope), declaration.kind, name)
      if (before) refuseStale(before, options.ifMatch)
      return [await planContent(declaration, scope, name, before, decide(before))]
    })
    const [planned, version] = [plan[0]!, versions[0]]
    const row = planned.after ?? planned.before!
    return present(resourceOf(declaration, version === undefined ? row : { ...row, resourceVersion: version }))
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

  function roomOf(declaration: KindDeclaration): VirtualKind<Scope> {
    const room = virtual.get(declaration.kind)
    if (!room) throw new Error(`nobody brought the virtual kind ${declaration.kind}`)
    return room
  }

  function now(): string {
    return new Date(clock.now()).toISOString()
  }
}

function isVisible(caller: Caller, declaration: KindDeclaration, scope: Place, name: string, verb: Verb = 'view'): boolean {
  const names = caller.visible(verb, declaration.plural, scope)
  return names === 'all' || names.includes(name)
}

/** The object when it is valid where it is to live, else one error with all violations. Without a project it gets that of its scope. */
function validAt(declaration: KindDeclaration, { project }: Scope, input: unknown): ResourceInput {
  const isSilent = project !== undefined && isRecord(input) && isRecord(input.metadata) && input.metadata.project === undefined
  const valid = validateObject(declaration, isSilent ? { ...input, metadata: { ...(input.metadata as object), project } } : input)
  if (valid.metadata.project !== project)
    throw invalid([{ pointer: '/metadata/project', detail: `must be ${project}; objects cannot move to another project` }])
  return valid
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
