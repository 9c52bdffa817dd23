import { z } from 'zod'
import { isBuiltInRole } from '../built-in-roles.ts'
import { Name } from '../names.ts'
import type { KindDeclaration, Resource } from './kind.ts'
import { UserName } from './user.ts'

/** One shape for all, so that a flag can say it: `kind=Group,name=dev`. */
export const Subject = z
  .strictObject({ kind: z.enum(['User', 'Group', 'ServiceAccount']), name: z.string() })
  .superRefine(({ kind, name }, ctx) => {
    const { error } = (kind === 'User' ? UserName : Name).safeParse(name)
    for (const { message } of error?.issues ?? []) ctx.addIssue({ code: 'custom', path: ['name'], message })
  })
export type Subject = z.infer<typeof Subject>

export const RoleBindingSpec = z
  .strictObject({
    role: Name.describe('admin, editor, viewer, runner, or a Role of the organization'),
    subjects: z.array(Subject).min(1).max(5_000),
    workspace: Name.optional().describe('Only in this workspace'),
    environment: Name.optional().describe('Only in this environment of it'),
    project: Name.optional().describe('Only in this project of it'),
  })
  .refine(({ workspace, environment, project }) => workspace !== undefined || (environment === undefined && project === undefined), {
    message: 'is needed with an environment or a project',
    path: ['workspace'],
  })
  .refine(({ environment, project }) => environment === undefined || project === undefined, {
    message: 'does not go together with an environment',
    path: ['project'],
  })
export type RoleBindingSpec = z.infer<typeof RoleBindingSpec>

/** `missing` is what of its place does not exist (any more): until it does, the binding gives nothing. */
export const RoleBindingStatus = z.object({ missing: z.string().optional() })
export type RoleBindingStatus = z.infer<typeof RoleBindingStatus>

const spec = (resource: Resource) => resource.spec as RoleBindingSpec

export const roleBindingKind: KindDeclaration = {
  kind: 'RoleBinding',
  plural: 'rolebindings',
  aliases: ['rolebinding', 'rbac'],
  scope: 'org',
  virtual: false,
  description: 'Gives a role to users, groups and service accounts, in the organization or in a part of it.',
  specVersion: 1,
  spec: RoleBindingSpec,
  status: RoleBindingStatus,
  oneOf: [],
  sensitive: [],
  references: (stored) => {
    const { role, subjects } = stored as RoleBindingSpec
    return [
      ...(isBuiltInRole(role) ? [] : [{ kind: 'Role', name: role, pointer: '/spec/role' }]),
      // People may sign in for the first time later.
      ...subjects.flatMap(({ kind, name }, index) => (kind === 'User' ? [] : [{ kind, name, pointer: `/spec/subjects/${index}/name` }])),
    ]
  },
  columns: [
    { name: 'name', value: ({ metadata }) => metadata.name },
    { name: 'role', value: (resource) => spec(resource).role },
    { name: 'place', value: (resource) => placeText(spec(resource)) },
    {
      name: 'subjects',
      value: (resource) =>
        spec(resource)
          .subjects.map(({ kind, name }) => `${kind.toLowerCase()}/${name}`)
          .join(', '),
    },
  ],
  actions: {},
  upgrade: (stored) => stored,
}

function placeText({ workspace, environment, project }: RoleBindingSpec): string {
  if (workspace === undefined) return 'organization'
  if (environment !== undefined) return `${workspace}, environment ${environment}`
  return project === undefined ? workspace : `${workspace}, project ${project}`
}
