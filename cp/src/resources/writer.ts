import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { findKind } from '@mcpg/proto/kinds'
import type { KindDeclaration, Resource, ResourceInput } from '@mcpg/proto/kinds/kind'
import type { Caller } from '../access/caller.ts'
import { allowedOn } from '../access/seen.ts'
import { unknownObject as unknown } from '../access/unknown-object.ts'
import { invalid } from '../http/problems.ts'
import type { Content } from './content.ts'
import type { Commit } from './commit.ts'
import { isRecord } from './differ.ts'
import type { Extensions } from './extensions.ts'
import { refuseStale } from './if-match.ts'
import { mergePatch } from './merge-patch.ts'
import { contentOf, planDelete, type Planned } from './plan.ts'
import { isVisible, type Reader } from './reader.ts'
import { scopeKey, scopeOfLevel, type Scope } from './scope.ts'
import { resourceOf, type ResourceStore, type StoredRow } from './store.ts'
import { validateObject } from './validate.ts'
import { planObject } from './vault.ts'

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

/** One object after the other, and several in one transaction; every write is planned against what is stored when it is written. */
export function writer({
  store,
  commit,
  clock,
  extensions: { roomOf, originalOf, present, vaults },
  reading: { existing, getRow },
}: {
  store: ResourceStore
  commit: Commit
  clock: Clock
  extensions: Extensions
  reading: Reader
}) {
  return { create, replace, patch, update, remove, writeAll }

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

  /** Null for an object that is gone, else what it became again. */
  async function remove(
    caller: Caller,
    declaration: KindDeclaration,
    at: Scope,
    name: string,
    options: WriteOptions = {},
  ): Promise<Resource | null> {
    const scope = await existing(declaration, at)
    if (declaration.virtual) {
      const room = roomOf(declaration)
      if (!room.delete) throw new McpgError('unsupported', 'not_deletable', `Objects of the kind ${declaration.kind} cannot be deleted.`)
      const found = await room.get(caller, scope, name)
      if (!found || !allowedOn(caller, 'delete', declaration.plural)(found.metadata)) throw unknown(declaration, name)
      if (!options.dryRun) await room.delete(caller, scope, name)
      return null
    }
    const original = originalOf(declaration, scope, name)
    const { plan, versions } = await commit(caller, original ? { ...options, verb: 'reset' } : options, async () => {
      const before = await getRow(caller, declaration, scope, name, 'delete')
      refuseStale(before, options.ifMatch)
      if (original) return [(await planOne(declaration, scope, name, () => original))!]
      const within = options.cascade ? await planContents(caller, declaration, scope, name) : []
      return [...within, planDelete(declaration, before)]
    })
    return original && present(writtenOf(plan[0]!, versions[0]))
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
    const write = { scope: scopeKey(scope), name, before, content, at: new Date(clock.now()).toISOString() }
    const { planned, violations } = await planObject(vaults, declaration, write)
    if (violations.length > 0) throw invalid(violations)
    return planned
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
    return present(writtenOf(plan[0]!, versions[0]))
  }
}

/** The object as a plan leaves it. */
function writtenOf({ declaration, before, after }: Planned, version: number | undefined): Resource {
  const row = after ?? before!
  return resourceOf(declaration, version === undefined ? row : { ...row, resourceVersion: version })
}

/** The object when it is valid where it is to live, else one error with all violations. Without a project it gets that of its scope. */
function validAt(declaration: KindDeclaration, { project }: Scope, input: unknown): ResourceInput {
  const isSilent = project !== undefined && isRecord(input) && isRecord(input.metadata) && input.metadata.project === undefined
  const valid = validateObject(declaration, isSilent ? { ...input, metadata: { ...(input.metadata as object), project } } : input)
  if (valid.metadata.project !== project)
    throw invalid([{ pointer: '/metadata/project', detail: `must be ${project}; objects cannot move to another project` }])
  return valid
}
