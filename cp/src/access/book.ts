import type { Grant } from '@mcpg/proto/grants'
import { groupKind, type GroupSpec } from '@mcpg/proto/kinds/group'
import { roleKind, type RoleSpec } from '@mcpg/proto/kinds/role'
import { roleBindingKind, type RoleBindingSpec } from '@mcpg/proto/kinds/role-binding'
import type { Changes } from '../changes/changes.ts'
import type { Db } from '../db/db.ts'
import { groupsOfUser, holdingsOf, type Holder, type Holding, type OrgAccess } from './holdings.ts'

/** Kinds that decide who may do what. */
export const decidingKinds = [roleKind.kind, groupKind.kind, roleBindingKind.kind]

type Org = { access: OrgAccess; holdings: Map<Holder, Holding[]> }

export type AccessBook = ReturnType<typeof accessBook>

/** Who holds what in every organization; read when it is needed first, and again after every change of what decides. */
export function accessBook({ db, changes }: { db: Pick<Db, 'read'>; changes: Pick<Changes, 'onChange'> }) {
  let loading: Promise<Map<string, Org>> | null = null
  changes.onChange(({ kind }) => {
    if (decidingKinds.includes(kind)) loading = null
  })
  return { grantsOfUser, grantsOfServiceAccount, holdingsIn, orgAccess, memberships }

  /** In all organizations; `claims` are the groups that the issuer names. */
  async function grantsOfUser(email: string, claims: readonly string[]): Promise<Grant[]> {
    const holders = [`user:${email}`, ...claims.map((claim) => `claim:${claim}`)]
    const found = new Map<string, readonly Grant[]>()
    for (const [org, { holdings }] of await orgs())
      for (const holder of holders) for (const { binding, grants } of holdings.get(holder) ?? []) found.set(`${org}/${binding}`, grants)
    return [...found.values()].flat()
  }

  /** Of all organizations. */
  async function memberships(email: string, claims: readonly string[]): Promise<{ org: string; group: string }[]> {
    return [...(await orgs())].flatMap(([org, { access }]) => groupsOfUser(access.groups, email, claims).map((group) => ({ org, group })))
  }

  async function grantsOfServiceAccount(org: string, name: string): Promise<Grant[]> {
    const held = (await orgs()).get(org)?.holdings.get(`serviceaccount:${name}`)
    return (held ?? []).flatMap(({ grants }) => grants)
  }

  async function holdingsIn(org: string): Promise<ReadonlyMap<Holder, readonly Holding[]>> {
    return (await orgs()).get(org)?.holdings ?? new Map()
  }

  async function orgAccess(org: string): Promise<OrgAccess> {
    return (await orgs()).get(org)?.access ?? emptyAccess()
  }

  async function orgs(): Promise<Map<string, Org>> {
    const current = (loading ??= readAccess(db.read).then(
      (all) => new Map([...all].map(([org, access]) => [org, { access, holdings: holdingsOf(org, access) }])),
    ))
    try {
      return await current
    } catch (error) {
      if (loading === current) loading = null
      throw error
    }
  }
}

/** Straight from the database, of one organization or of all. */
export async function readAccess(read: Db['read'], org?: string): Promise<Map<string, MutableAccess>> {
  const where = { kind: { in: decidingKinds }, ...(org !== undefined && { scope: org }) }
  const rows = await read.resource.findMany({ where, select: { scope: true, kind: true, name: true, spec: true } })
  const all = new Map<string, MutableAccess>()
  for (const { scope, kind, name, spec } of rows) {
    const access = all.get(scope) ?? emptyAccess()
    all.set(scope, access)
    mapOf(access, kind)?.set(name, JSON.parse(spec) as never)
  }
  return all
}

export type MutableAccess = {
  roles: Map<string, RoleSpec>
  groups: Map<string, GroupSpec>
  bindings: Map<string, RoleBindingSpec>
}

export const emptyAccess = (): MutableAccess => ({ roles: new Map(), groups: new Map(), bindings: new Map() })

export function mapOf({ roles, groups, bindings }: MutableAccess, kind: string): Map<string, unknown> | null {
  if (kind === roleKind.kind) return roles
  if (kind === groupKind.kind) return groups
  return kind === roleBindingKind.kind ? bindings : null
}
