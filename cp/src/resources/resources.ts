import type { Clock } from '@mcpg/core/clock'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import type { ApplyRequest, ApplyResponse } from '@mcpg/proto/rest/apply'
import type { Caller } from '../access/caller.ts'
import { refuseStranger } from '../access/seen.ts'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db } from '../db/db.ts'
import { applyObjects } from './apply.ts'
import { committer } from './commit.ts'
import { isRecord } from './differ.ts'
import { extensions as newExtensions } from './extensions.ts'
import { reader } from './reader.ts'
import { scopeKey, scopeOfLevel, type Scope } from './scope.ts'
import { resourceStore } from './store.ts'
import { writer } from './writer.ts'

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
  const extensions = newExtensions()
  const { rules, vaults, placements, originalOf } = extensions
  const { commit } = committer({ db, audit, changes, clock, rules })
  const reading = reader({ store, extensions, requireScope })
  const { list, listVirtual, get, everything } = reading
  const writing = writer({ store, commit, clock, extensions, reading })

  return {
    list,
    listVirtual,
    get,
    everything,
    ...writing,
    apply,
    act,
    present: extensions.present,
    ...extensions.brought,
    /** Objects that name this one, with the part of it that they name. */
    referrers: (scope: Scope, kind: string, name: string) => store.referrers(scopeKey(scope), kind, name),
  }

  /** Objects of the scope and of what is around and within it: with a workspace also those of its organization and its projects. */
  async function apply(caller: Caller, scope: Scope, request: unknown, { dryRun = false } = {}): Promise<ApplyResponse> {
    refuseStranger(caller, scope)
    await requireScope(scope)
    const now = () => new Date(clock.now()).toISOString()
    return applyObjects(
      { store, commit, vaults, placements, originalOf, now },
      caller,
      scope,
      (await expanded(caller, scope, request)) as ApplyRequest,
      dryRun,
    )
  }

  async function expanded(caller: Caller, scope: Scope, request: unknown): Promise<unknown> {
    if (!isRecord(request) || !Array.isArray(request.objects)) return request
    return { ...request, objects: await extensions.expand(caller, scope, request.objects) }
  }

  async function act(
    caller: Caller,
    declaration: KindDeclaration,
    at: Scope,
    name: string,
    action: string,
    body: unknown,
  ): Promise<object> {
    const handler = extensions.actionOf(declaration, action)
    const scope = scopeOfLevel(declaration.scope, at)
    const resource = await get(caller, declaration, scope, name)
    const answer = await handler({ caller, scope, resource, body })
    return answer ?? get(caller, declaration, scope, name)
  }
}
