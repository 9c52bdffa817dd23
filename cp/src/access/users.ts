import { McpgError } from '@mcpg/proto/errors'
import { beyond, everything } from '@mcpg/proto/grants'
import type { AccessHeld } from '@mcpg/proto/kinds/access-held'
import { groupKind, type GroupStatus } from '@mcpg/proto/kinds/group'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { projectKind } from '@mcpg/proto/kinds/project'
import { roleKind } from '@mcpg/proto/kinds/role'
import { roleBindingKind, type RoleBindingSpec, type RoleBindingStatus } from '@mcpg/proto/kinds/role-binding'
import { userKind, type UserSpec, type UserStatus } from '@mcpg/proto/kinds/user'
import type { AuthMode } from '@mcpg/proto/rest/auth'
import { lastAdmin, type Accounts } from '../accounts/service.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db } from '../db/db.ts'
import type { Broken, Rule } from '../resources/rules.ts'
import type { Resources } from '../resources/resources.ts'
import type { AccessBook } from './book.ts'
import { localCaller, type Caller } from './caller.ts'
import { grantText } from './grant-text.ts'
import type { Holding } from './holdings.ts'
import type { Principal } from './principal.ts'
import { accessRule } from './rules.ts'
import type { AccessService } from './service.ts'

/** Where people become users who sign in and whom no organization has. */
const firstOrg = 'default'
const ownCaller = (): Caller => ({ ...localCaller({ source: '', requestId: '' }), subject: 'control-plane' })

type Person = Extract<Principal, { kind: 'user' }>

/** Users, groups, roles and bindings as objects. A User is the account of the same e-mail: it comes with it and takes it along. */
export function userRoom({
  db,
  resources,
  changes,
  book,
  access,
  accounts,
  mode,
  personOf,
  warn,
}: {
  db: Pick<Db, 'read'>
  resources: Pick<Resources, 'addStatus' | 'addAction' | 'addRules' | 'create'>
  changes: Pick<Changes, 'onChange'>
  book: AccessBook
  access: Pick<AccessService, 'effectiveGrants'>
  accounts: Pick<Accounts, 'setPassword' | 'setPlatformAdmin' | 'remove'>
  mode: AuthMode
  /** The person behind an account; null for one who cannot sign in here. */
  personOf: (accountId: string) => Promise<Person | null>
  warn: (error: unknown, message: string) => void
}) {
  const rule = accessRule(db.read)
  for (const { kind } of [roleKind, groupKind, roleBindingKind]) resources.addRules(kind, rule)
  resources.addRules(userKind.kind, userRule)
  resources.addStatus(userKind.kind, userStatus)
  resources.addStatus(groupKind.kind, groupStatus)
  resources.addStatus(roleBindingKind.kind, bindingStatus)
  resources.addAction<{ org: string }>(userKind.kind, 'password', async ({ caller, resource, body }) => {
    const { name } = resource.metadata
    await refuseAbove(caller, name, 'set the password of')
    const { displayName, platformAdmin } = resource.spec as UserSpec
    // Whoever knows the password may do what goes with it.
    if (platformAdmin === true) refuseLesser(caller)
    await accounts.setPassword(caller, { email: name, password: (body as { password: string }).password, displayName })
    if (platformAdmin === true) await accounts.setPlatformAdmin(ownCaller(), name, true)
  })
  changes.onChange(({ kind, type, name }) => {
    if (kind !== userKind.kind) return
    if (type === 'ADDED' || type === 'MODIFIED')
      heed(name).catch((error: unknown) => warn(error, 'who is a platform admin stays as it was'))
    if (type !== 'DELETED') return
    known.delete(name)
    forget(name).catch((error: unknown) => warn(error, 'an account outlives its user'))
  })
  const known = new Set<string>()
  /** What a platform admin has decided and is about to be written; other edits of a User change no account. */
  const due = new Map<string, boolean>()
  return { ensure, ensureAll }

  /** The User of an account, where no organization has one. */
  async function ensure({ email, displayName }: { email: string; displayName: string | null }): Promise<void> {
    if (known.has(email)) return
    known.add(email)
    if ((await db.read.resource.count({ where: { kind: userKind.kind, name: email } })) > 0) return
    const spec = displayName === null ? {} : { displayName }
    const input = { kind: userKind.kind, metadata: { name: email }, spec }
    await resources.create(ownCaller(), userKind, { org: firstOrg }, input).catch((error: unknown) => {
      if (!(error instanceof McpgError) || error.code !== 'conflict') warn(error, 'an account has no user')
    })
  }

  async function ensureAll(): Promise<void> {
    for (const account of await db.read.account.findMany()) await ensure(account)
  }

  /** A decision counts once it is stored: what was only tried is none. */
  async function heed(email: string): Promise<void> {
    const wanted = due.get(email)
    if (wanted === undefined) return
    due.delete(email)
    const rows = await db.read.resource.findMany({ where: { kind: userKind.kind, name: email }, select: { spec: true } })
    if (rows.some(({ spec }) => (JSON.parse(spec) as UserSpec).platformAdmin === wanted))
      await accounts.setPlatformAdmin(ownCaller(), email, wanted)
  }

  async function forget(email: string): Promise<void> {
    if ((await db.read.resource.count({ where: { kind: userKind.kind, name: email } })) === 0) await accounts.remove(email)
  }

  /** Nobody takes away whoever may do more, and the last admin of the installation stays. */
  async function userRule({ caller, changes: own }: Parameters<Rule>[0]): Promise<Broken[]> {
    const raised = own.filter(
      ({ before, after }) =>
        after?.kind === userKind.kind && adminIn(before) !== adminIn(after) && !(adminIn(after) === undefined && !adminIn(before)),
    )
    if (mode === 'oidc') return raised.map((change) => ({ change, pointer: '/spec/platformAdmin', detail: namedByOperator }))
    if (raised.length > 0) refuseLesser(caller)
    const broken = raised.filter(({ after }) => adminIn(after) === undefined)
    if (broken.length > 0)
      return broken.map((change) => ({ change, pointer: '/spec/platformAdmin', detail: 'must say false where it said true' }))
    const lowered = raised.flatMap(({ after }) => (after && !adminIn(after) ? [after.metadata.name] : []))
    const gone = own.flatMap(({ before, after }) => (before?.kind === userKind.kind && !after ? [before.metadata.name] : []))
    for (const name of gone) await refuseAbove(caller, name, 'delete')
    const admins = await db.read.account.findMany({ where: { platformAdmin: true }, select: { email: true } })
    const fewer = [...gone, ...lowered]
    if (fewer.length > 0 && admins.length > 0 && admins.every(({ email }) => fewer.includes(email))) throw lastAdmin(admins[0]!.email)
    for (const { after } of raised) if (after) due.set(after.metadata.name, adminIn(after) ?? false)
    return []
  }

  function refuseLesser(caller: Caller): void {
    if (beyond(everything, caller.grants).length === 0) return
    throw new McpgError('forbidden', 'beyond_own_rights', `${caller.subject} is no platform admin, and only they say who is one.`, {
      hint: 'mcpg-ctl get users shows who is',
    })
  }

  async function refuseAbove(caller: Caller, email: string, what: string): Promise<void> {
    const account = await db.read.account.findUnique({ where: { email } })
    const person = account && (await personOf(account.id))
    const more = person ? beyond(await access.effectiveGrants(person), caller.grants) : []
    if (more[0] === undefined) return
    throw new McpgError(
      'forbidden',
      'beyond_own_rights',
      `${caller.subject} may not ${what} ${email}, who may do more: ${grantText(more[0])}${more.length > 1 ? ', and more' : ''}.`,
    )
  }

  async function userStatus({ metadata: { name, org = '' } }: Resource): Promise<UserStatus> {
    const account = await db.read.account.findUnique({ where: { email: name } })
    const person = account && (await personOf(account.id))
    const holdings = await book.holdingsIn(org)
    const { groups } = await book.orgAccess(org)
    const claims = person?.groups ?? []
    const held = [`user:${name}`, ...claims.map((claim) => `claim:${claim}`)].flatMap((holder) => holdings.get(holder) ?? [])
    const own = [...groups].filter(([, group]) => group.members?.includes(name) || group.claims?.some((claim) => claims.includes(claim)))
    return {
      account: account !== null,
      platformAdmin: person?.platformAdmin ?? false,
      ...(account?.lastSignInAt ? { lastSignInAt: account.lastSignInAt } : {}),
      groups: own.map(([group]) => group).toSorted(),
      access: onePerBinding(held),
    }
  }

  /** Places come and go without their bindings. */
  async function bindingStatus({ metadata: { org = '' }, spec }: Resource): Promise<RoleBindingStatus> {
    const { workspace, environment, project } = spec as RoleBindingSpec
    if (workspace === undefined) return {}
    const { read } = db
    if (!(await read.workspace.findUnique({ where: { org_name: { org, name: workspace } } }))) return { missing: `workspace ${workspace}` }
    const where = { org_workspace_name: { org, workspace, name: environment ?? '' } }
    if (environment !== undefined && !(await read.environment.findUnique({ where }))) return { missing: `environment ${environment}` }
    const object = { scope: `${org}/${workspace}`, kind: projectKind.kind, name: project ?? '' }
    if (project !== undefined && (await read.resource.count({ where: object })) === 0) return { missing: `project ${project}` }
    return {}
  }

  async function groupStatus({ metadata: { name, org = '' } }: Resource): Promise<GroupStatus> {
    const { groups } = await book.orgAccess(org)
    const people = new Set<string>()
    const seen = new Set<string>()
    const waiting = [name]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.has(next)) continue
      seen.add(next)
      const group = groups.get(next)
      for (const member of group?.members ?? []) people.add(member)
      waiting.push(...(group?.groups ?? []))
    }
    return {
      people: people.size,
      within: [...groups].flatMap(([outer, group]) => (group.groups?.includes(name) ? [outer] : [])).toSorted(),
      access: onePerBinding((await book.holdingsIn(org)).get(`group:${name}`) ?? []),
    }
  }
}

const adminIn = (user: Resource | null): boolean | undefined => (user?.spec as UserSpec | undefined)?.platformAdmin
const namedByOperator = 'is not set here: --admin-subject and --admin-group of the control plane name platform admins'

function onePerBinding(holdings: readonly Holding[]): AccessHeld[] {
  const shown = new Map<string, AccessHeld>()
  for (const { binding, role, place, through } of holdings) {
    const { workspace, environment, project } = place
    const where = { ...(workspace && { workspace }), ...(environment && { environment }), ...(project && { project }) }
    if (!shown.has(binding)) shown.set(binding, { binding, role, ...where, through: [...through] })
  }
  return [...shown.values()].toSorted((one, other) => (one.binding < other.binding ? -1 : 1))
}
