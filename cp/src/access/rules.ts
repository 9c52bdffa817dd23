import { accessWord, accessWords } from '@mcpg/proto/access-words'
import { McpgError } from '@mcpg/proto/errors'
import { beyond, type Grant } from '@mcpg/proto/grants'
import { groupKind } from '@mcpg/proto/kinds/group'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { roleKind, type RoleSpec } from '@mcpg/proto/kinds/role'
import { isBuiltInRole } from '@mcpg/proto/built-in-roles'
import type { Db } from '../db/db.ts'
import type { Broken, PlannedChange, Rule } from '../resources/rules.ts'
import { emptyAccess, mapOf, readAccess, type MutableAccess } from './book.ts'
import type { Caller } from './caller.ts'
import { cycleOf, holdingsOf } from './holdings.ts'
import { grantText } from './grant-text.ts'

/** What must hold for roles, groups and bindings: they make sense, and nobody gives what they do not hold. */
export function accessRule(read: Db['read']): Rule {
  return async ({ caller, changes }) => {
    const broken: Broken[] = []
    for (const [org, own] of Map.groupBy(changes, ({ scope }) => scope.org)) {
      const before = (await readAccess(read, org)).get(org) ?? emptyAccess()
      const after = changed(before, own)
      for (const change of own)
        if (change.after?.kind === roleKind.kind) broken.push(...roleProblems(change.after).map((problem) => ({ change, ...problem })))
      broken.push(...cyclesIn(after, own))
      if (broken.length === 0) refuseGiving(caller, org, before, after)
    }
    return broken
  }
}

type Problem = { pointer: string; detail: string }

function roleProblems({ metadata, spec }: Resource): Problem[] {
  const { rules } = spec as RoleSpec
  return [
    ...(isBuiltInRole(metadata.name) ? [{ pointer: '/metadata/name', detail: `${metadata.name} is built in; take another name` }] : []),
    ...rules.flatMap(({ kinds = [] }, rule) =>
      kinds.flatMap((word, index) =>
        accessWord(word) === undefined
          ? [{ pointer: `/spec/rules/${rule}/kinds/${index}`, detail: `"${word}" is not ${accessWords()}` }]
          : [],
      ),
    ),
  ]
}

function cyclesIn({ groups }: MutableAccess, changes: readonly PlannedChange[]): Broken[] {
  const cycle = cycleOf(groups)
  if (!cycle) return []
  const change = changes.find(({ after }) => after?.kind === groupKind.kind && cycle.includes(after.metadata.name))
  return change ? [{ change, pointer: '/spec/groups', detail: `goes round in a circle: ${cycle.join(' > ')}` }] : []
}

function changed(before: MutableAccess, changes: readonly PlannedChange[]): MutableAccess {
  const after = { roles: new Map(before.roles), groups: new Map(before.groups), bindings: new Map(before.bindings) }
  for (const { before: old, after: now } of changes) {
    if (now) mapOf(after, now.kind)?.set(now.metadata.name, now.spec)
    else if (old) mapOf(after, old.kind)?.delete(old.metadata.name)
  }
  return after
}

/** Whatever way somebody would come to a right (a binding, a role that says more, a group with one more member), its giver holds it. */
function refuseGiving(caller: Caller, org: string, before: MutableAccess, after: MutableAccess): void {
  const had = holdingsOf(org, before)
  const missing: Grant[] = []
  const checked = new Set<string>()
  for (const [holder, holdings] of holdingsOf(org, after)) {
    const old = had.get(holder)?.flatMap(({ grants }) => grants) ?? []
    for (const { binding, role, place, grants } of holdings) {
      const key = JSON.stringify([binding, role, place, old.length === 0])
      if (old.length === 0 && checked.has(key)) continue
      checked.add(key)
      missing.push(...beyond(beyond(grants, old), caller.grants))
    }
  }
  if (missing.length === 0) return
  const texts = [...new Set(missing.map(grantText))]
  const more = texts.length > 5 ? ` and ${texts.length - 5} more` : ''
  throw new McpgError(
    'forbidden',
    'beyond_own_rights',
    `${caller.subject} may not give what they do not hold: ${texts.slice(0, 5).join('; ')}${more}.`,
    { hint: 'mcpg-ctl can-i --list' },
  )
}
