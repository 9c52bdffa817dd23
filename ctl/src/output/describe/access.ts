import { isBuiltInRole } from '@mcpg/proto/built-in-roles'
import type { AccessHeld } from '@mcpg/proto/kinds/access-held'
import type { GroupSpec, GroupStatus } from '@mcpg/proto/kinds/group'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { McpTokenSpec, McpTokenStatus } from '@mcpg/proto/kinds/mcp-token'
import type { RoleRule, RoleSpec } from '@mcpg/proto/kinds/role'
import type { RoleBindingSpec, RoleBindingStatus } from '@mcpg/proto/kinds/role-binding'
import type { ServiceAccountSpec } from '@mcpg/proto/kinds/service-account'
import type { UserSpec, UserStatus } from '@mcpg/proto/kinds/user'
import { relative } from '../age.ts'
import { facts, next, rows, usedBy } from './parts.ts'
import type { Related } from './related.ts'

export function roleSections({ metadata, spec }: Resource, { users }: Pick<Related, 'users'>): string[] {
  const { description, rules } = spec as RoleSpec
  return [
    ...facts('Role', [['Description', description]]),
    ...ruleRows('Rights', rules),
    ...usedBy(users, `nobody: mcpg-ctl create rolebinding <name> --role ${metadata.name} --subject kind=User,name=<e-mail>`),
  ]
}

export function roleBindingSections({ spec, status }: Resource, { other }: Pick<Related, 'other'>): string[] {
  const { role, subjects, ...place } = spec as RoleBindingSpec
  const { missing } = status as RoleBindingStatus
  return [
    ...facts('Binding', [
      ['Role', isBuiltInRole(role) ? `${role} (built in)` : `role/${role}`],
      ['Counts in', placeText(place)],
      ['Gives nothing', missing && `${missing} is not there`],
    ]),
    ...rows(
      'Who has it',
      ['kind', 'name'],
      subjects.map(({ kind, name }) => [kind, name]),
    ),
    ...ruleRows('What it gives', (other?.spec as RoleSpec | undefined)?.rules ?? []),
  ]
}

export function groupSections({ metadata, spec, status }: Resource): string[] {
  const { description, members = [], groups = [], serviceAccounts = [], claims = [] } = spec as GroupSpec
  const { people, within = [], access = [] } = status as Partial<GroupStatus>
  const belonging = [
    ...members.map((name) => ['User', name]),
    ...groups.map((name) => ['Group', name]),
    ...serviceAccounts.map((name) => ['ServiceAccount', name]),
    ...claims.map((name) => ['group of the issuer', name]),
  ]
  return [
    ...facts('Group', [
      ['Description', description],
      ['People', people === undefined ? undefined : `${people}, with those of its groups`],
      ['Belongs to', within.map((name) => `group/${name}`).join(', ')],
    ]),
    ...rows('Members', ['kind', 'name'], belonging, ['none']),
    ...accessRows(access, `nothing yet: mcpg-ctl create rolebinding <name> --role viewer --subject kind=Group,name=${metadata.name}`),
  ]
}

export function userSections({ spec, status }: Resource): string[] {
  const { displayName } = spec as UserSpec
  const { account, platformAdmin, lastSignInAt, groups = [], access = [] } = status as Partial<UserStatus>
  return [
    ...facts('Person', [
      ['Called', displayName],
      ['Last sign-in', account ? relative(lastSignInAt ?? 'never') : 'never; no password is set'],
      ['Platform admin', platformAdmin ? 'yes: may do everything everywhere' : undefined],
      ['Groups', groups.join(', ') || 'none'],
    ]),
    ...(platformAdmin && access.length === 0 ? [] : accessRows(access, 'nothing yet')),
  ]
}

export function serviceAccountSections({ metadata, spec }: Resource, { users }: Pick<Related, 'users'>): string[] {
  const { name } = metadata
  return [
    ...facts('Service account', [['Description', (spec as ServiceAccountSpec).description]]),
    ...usedBy(
      users,
      `nothing: it may do nothing yet; mcpg-ctl create rolebinding <name> --role viewer --subject kind=ServiceAccount,name=${name}`,
    ),
    ...next(`mcpg-ctl token create <name> --service-account ${name}`),
  ]
}

export function tokenSections({ metadata, spec, status }: Resource): string[] {
  const { grants, expiresAt } = spec as McpTokenSpec
  const { state, createdBy, lastUsedAt, revokedAt } = status as Partial<McpTokenStatus>
  const { name, project } = metadata
  const at = project === undefined ? '' : ` -p ${project}`
  return [
    ...facts('Token', [
      ['State', state === 'revoked' && revokedAt ? `revoked ${relative(revokedAt)}` : state],
      ['Expires', expiresAt === undefined ? 'never' : `${expiresAt} (${relative(expiresAt)})`],
      ['Last used', lastUsedAt === undefined ? 'never' : relative(lastUsedAt)],
      ['Made by', createdBy],
    ]),
    ...rows('Rights', ['may', 'on', 'only', 'in'], (grants ?? []).map(grantRow), ['all that its owner may do, now and later']),
    ...(state === 'active'
      ? next(`mcpg-ctl token revoke ${name}${at}`)
      : next(`mcpg-ctl create mcptoken ${name}${at} --force   # a new one of this name`)),
  ]
}

type Grant = NonNullable<McpTokenSpec['grants']>[number]

function grantRow(grant: Grant): string[] {
  const { environment, project, workspace } = grant.place
  const place = placeText({ workspace, environment, project })
  if ('operations' in grant) return [grant.operations.join(', '), '', '', place]
  return [grant.verbs.join(', '), grant.on, grant.names?.join(', ') ?? '', place]
}

function ruleRows(title: string, rules: RoleRule[]): string[] {
  return rows(
    title,
    ['may', 'on', 'only'],
    rules.map(({ verbs = [], kinds = [], names = [], operations }) =>
      operations ? [operations.join(', '), '', ''] : [verbs.join(', '), kinds.join(', '), names.join(', ')],
    ),
  )
}

function accessRows(access: AccessHeld[], otherwise: string): string[] {
  return rows(
    'Access',
    ['role', 'in', 'by', 'through'],
    access.map(({ role, binding, through, ...place }) => [
      role,
      placeText(place),
      `rolebinding/${binding}`,
      through.map((name) => `group/${name}`).join(', '),
    ]),
    [otherwise],
  )
}

type Place = { workspace?: string | undefined; environment?: string | undefined; project?: string | undefined }

function placeText({ workspace, environment, project }: Place): string {
  if (workspace === undefined) return 'the organization'
  if (environment !== undefined) return `environment ${environment} of ${workspace}`
  return project === undefined ? `workspace ${workspace}` : `project ${project} of ${workspace}`
}
