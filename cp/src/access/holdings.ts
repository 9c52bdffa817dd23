import type { Place } from '@mcpg/proto/access'
import type { Grant } from '@mcpg/proto/grants'
import type { GroupSpec } from '@mcpg/proto/kinds/group'
import type { RoleSpec } from '@mcpg/proto/kinds/role'
import type { RoleBindingSpec } from '@mcpg/proto/kinds/role-binding'
import { grantsOfRole } from './roles.ts'

/** What one organization says of who may do what. */
export type OrgAccess = {
  roles: ReadonlyMap<string, RoleSpec>
  groups: ReadonlyMap<string, GroupSpec>
  bindings: ReadonlyMap<string, RoleBindingSpec>
}

/** What somebody has by one binding; `through` are the groups on the way to them, the bound one first. */
export type Holding = { binding: string; role: string; place: Place; through: readonly string[]; grants: readonly Grant[] }

/** `user:<e-mail>`, `claim:<group of the issuer>`, `group:<name>`, `serviceaccount:<name>`. */
export type Holder = string

/** Everybody who holds anything in an organization. Groups that contain themselves are looked at once. */
export function holdingsOf(org: string, { roles, groups, bindings }: OrgAccess): Map<Holder, Holding[]> {
  const all = new Map<Holder, Holding[]>()
  for (const [binding, { role, subjects, workspace, environment, project }] of bindings) {
    const place: Place = { org, ...(workspace && { workspace }), ...(environment && { environment }), ...(project && { project }) }
    const grants = grantsOfRole(role, roles, place)
    if (grants === null) continue
    const give = (holder: Holder, through: readonly string[]) => {
      const held = all.get(holder)
      const holding = { binding, role, place, through, grants }
      if (!held) all.set(holder, [holding])
      // One binding is held once, by its shortest way.
      else if (!held.some((one) => one.binding === binding)) held.push(holding)
    }
    for (const { kind, name } of subjects)
      if (kind === 'Group') giveToGroup(groups, name, give)
      else give(kind === 'User' ? `user:${name}` : `serviceaccount:${name}`, [])
  }
  return all
}

function giveToGroup(groups: OrgAccess['groups'], first: string, give: (holder: Holder, through: readonly string[]) => void): void {
  const seen = new Set<string>()
  const waiting: { name: string; above: readonly string[] }[] = [{ name: first, above: [] }]
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { name, above } = next
    if (seen.has(name)) continue
    seen.add(name)
    const group = groups.get(name)
    if (!group) continue
    const through = [...above, name]
    give(`group:${name}`, above)
    for (const member of group.members ?? []) give(`user:${member}`, through)
    for (const member of group.serviceAccounts ?? []) give(`serviceaccount:${member}`, through)
    for (const claim of group.claims ?? []) give(`claim:${claim}`, through)
    for (const inner of group.groups ?? []) waiting.push({ name: inner, above: through })
  }
}

/** The groups that somebody is in: by their own name, by a group that the issuer names, or inside another one; in the order of names. */
export function groupsOfUser(groups: OrgAccess['groups'], email: string, claims: readonly string[]): string[] {
  const found = new Set<string>()
  const add = (isIn: (group: GroupSpec) => boolean) => {
    for (const [name, group] of groups) {
      if (found.has(name) || !isIn(group)) continue
      found.add(name)
      add(({ groups: inner = [] }) => inner.includes(name))
    }
  }
  add(({ members = [], claims: named = [] }) => members.includes(email) || named.some((claim) => claims.includes(claim)))
  return [...found].toSorted()
}

/** The first cycle of groups, as the names on it from one to itself; null when there is none. */
export function cycleOf(groups: OrgAccess['groups']): string[] | null {
  const done = new Set<string>()
  for (const name of groups.keys()) {
    const found = walk(name, [])
    if (found) return found
  }
  return null

  function walk(name: string, path: string[]): string[] | null {
    const at = path.indexOf(name)
    if (at >= 0) return [...path.slice(at), name]
    if (done.has(name)) return null
    for (const inner of groups.get(name)?.groups ?? []) {
      const found = walk(inner, [...path, name])
      if (found) return found
    }
    done.add(name)
    return null
  }
}
