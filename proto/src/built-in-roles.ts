/** Roles that every organization has; apart from the kinds, so that the console gets by without their schemas. */
export const builtInRoleNames = ['admin', 'editor', 'viewer', 'runner'] as const
export type BuiltInRoleName = (typeof builtInRoleNames)[number]
export const isBuiltInRole = (name: string): name is BuiltInRoleName => (builtInRoleNames as readonly string[]).includes(name)

type Rule = { verbs?: readonly string[]; kinds?: readonly string[]; names?: readonly string[]; operations?: readonly string[] }

/** A rule of a role in words: `edit,run servers (files)`. */
export function ruleText({ verbs = [], kinds = [], names, operations }: Rule): string {
  if (operations) return operations.join(',')
  return `${verbs.join(',')} ${kinds.join(',')}${names ? ` (${names.join(',')})` : ''}`
}
