import { z } from 'zod'
import { verbs } from '../access.ts'
import { ruleText } from '../built-in-roles.ts'
import { operations } from '../grants.ts'
import type { KindDeclaration, Resource } from './kind.ts'

const Word = z.string().min(1).max(253)

/** Either verbs on kinds, perhaps only on objects of some names, or operations. */
export const RoleRule = z
  .strictObject({
    verbs: z.array(z.enum(verbs)).min(1).optional().describe('edit includes view, create, delete and expose; expose includes view'),
    kinds: z.array(Word).min(1).optional().describe('Plurals of kinds, orgs, workspaces, environments, audit, or *'),
    names: z.array(z.string().min(1).max(254)).min(1).optional().describe('Only objects of these names'),
    operations: z
      .array(z.enum([...operations, '*']))
      .min(1)
      .optional()
      .describe('Rights that belong to no kind, or *'),
  })
  .refine(
    ({ verbs: some, kinds, names, operations: rights }) => (rights ? !some && !kinds && !names : some !== undefined && kinds !== undefined),
    'needs verbs and kinds, or operations alone',
  )
export type RoleRule = z.infer<typeof RoleRule>

export const RoleSpec = z.strictObject({
  description: z.string().max(1024).optional(),
  rules: z.array(RoleRule).min(1).max(200),
})
export type RoleSpec = z.infer<typeof RoleSpec>

const spec = (resource: Resource) => resource.spec as RoleSpec

export const roleKind: KindDeclaration = {
  kind: 'Role',
  plural: 'roles',
  aliases: ['role'],
  scope: 'org',
  virtual: false,
  description: 'Rights under a name. admin, editor, viewer and runner are built in.',
  specVersion: 1,
  spec: RoleSpec,
  status: z.object({}),
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: ({ metadata }) => metadata.name },
    { name: 'rules', value: (resource) => spec(resource).rules.map(ruleText).join('; ') },
    { name: 'description', wide: true, value: (resource) => spec(resource).description ?? '' },
  ],
  actions: {},
  upgrade: (stored) => stored,
}
