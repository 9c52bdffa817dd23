import { z } from 'zod'
import { Name } from '../names.ts'
import { AccessHeld } from './access-held.ts'
import type { KindDeclaration, Resource } from './kind.ts'
import { UserName } from './user.ts'

const most = 5_000

export const GroupSpec = z.strictObject({
  description: z.string().max(1024).optional(),
  members: z.array(UserName).max(most).optional().describe('E-mails of users; they may sign in for the first time later'),
  groups: z.array(Name).max(most).optional().describe('Groups whose members belong to this one, too'),
  serviceAccounts: z.array(Name).max(most).optional().describe('Service accounts'),
  claims: z.array(z.string().min(1).max(256)).max(most).optional().describe('Groups as the OpenID issuer names them'),
})
export type GroupSpec = z.infer<typeof GroupSpec>

export const GroupStatus = z.object({
  /** Everybody, those of nested groups too. */
  people: z.number().int(),
  /** Groups that this one belongs to. */
  within: z.array(z.string()),
  access: z.array(AccessHeld),
})
export type GroupStatus = z.infer<typeof GroupStatus>

const spec = (resource: Resource) => resource.spec as GroupSpec

export const groupKind: KindDeclaration = {
  kind: 'Group',
  plural: 'groups',
  aliases: ['group'],
  scope: 'org',
  virtual: false,
  description: 'People, service accounts and other groups, to bind roles to.',
  specVersion: 1,
  spec: GroupSpec,
  status: GroupStatus,
  oneOf: [],
  sensitive: [],
  references: (stored) => {
    const { groups = [], serviceAccounts = [] } = stored as GroupSpec
    return [
      ...groups.map((name, index) => ({ kind: 'Group', name, pointer: `/spec/groups/${index}` })),
      ...serviceAccounts.map((name, index) => ({ kind: 'ServiceAccount', name, pointer: `/spec/serviceAccounts/${index}` })),
    ]
  },
  columns: [
    { name: 'name', value: ({ metadata }) => metadata.name },
    { name: 'people', value: ({ status }) => String((status as Partial<GroupStatus>).people ?? '') },
    { name: 'groups', value: (resource) => spec(resource).groups?.join(',') ?? '' },
    { name: 'claims', wide: true, value: (resource) => spec(resource).claims?.join(',') ?? '' },
    { name: 'description', value: (resource) => spec(resource).description ?? '' },
  ],
  actions: {},
  upgrade: (stored) => stored,
}
