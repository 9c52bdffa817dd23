import { z } from 'zod'
import { AccessHeld } from './access-held.ts'
import type { KindDeclaration, Resource } from './kind.ts'

/** An e-mail in lower case, so that nobody is two people by the case of a letter. */
export const UserName = z
  .string()
  .max(254)
  .regex(/^[^\s/\p{Lu}]+@[^\s/\p{Lu}]+$/u, 'must be an e-mail in lower case')
  .pipe(z.email('must be an e-mail in lower case'))

export const UserSpec = z.strictObject({
  displayName: z.string().trim().min(1).max(200).optional().describe('How people call them'),
  platformAdmin: z
    .boolean()
    .optional()
    .describe('May do everything everywhere; set by platform admins only, where people sign in with a password'),
})
export type UserSpec = z.infer<typeof UserSpec>

export const UserStatus = z.object({
  /** They can sign in; false for somebody who never did and has no password. */
  account: z.boolean(),
  platformAdmin: z.boolean(),
  lastSignInAt: z.string().optional(),
  groups: z.array(z.string()),
  access: z.array(AccessHeld),
})
export type UserStatus = z.infer<typeof UserStatus>

export const SetPassword = z.strictObject({ password: z.string().min(10, 'must have at least 10 characters').max(1024) })

const status = (resource: Resource) => resource.status as Partial<UserStatus>

export const userKind: KindDeclaration = {
  kind: 'User',
  plural: 'users',
  aliases: ['user'],
  scope: 'org',
  virtual: false,
  name: UserName,
  description: 'A person, named by e-mail. Everybody who signs in is one, of the organization default unless another one has them.',
  specVersion: 1,
  spec: UserSpec,
  status: UserStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: ({ metadata }) => metadata.name },
    { name: 'display name', value: ({ spec }) => (spec as UserSpec).displayName ?? '' },
    { name: 'admin', value: (resource) => (status(resource).platformAdmin ? 'platform' : '') },
    { name: 'groups', value: (resource) => status(resource).groups?.join(',') ?? '' },
    { name: 'last sign-in', value: (resource) => status(resource).lastSignInAt ?? 'never' },
  ],
  actions: {
    password: {
      access: { verb: 'edit', on: 'users' },
      description: 'Sets the password of somebody who signs in with one, and ends their sessions',
      body: SetPassword,
    },
  },
  upgrade: (spec) => spec,
}
