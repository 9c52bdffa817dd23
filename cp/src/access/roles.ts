import { accessWord } from '@mcpg/proto/access-words'
import type { Place, Verb } from '@mcpg/proto/access'
import type { Grant } from '@mcpg/proto/grants'
import { kinds } from '@mcpg/proto/kinds'
import type { RoleRule, RoleSpec } from '@mcpg/proto/kinds/role'
import { isBuiltInRole, type BuiltInRoleName } from '@mcpg/proto/built-in-roles'

/** Kinds that say who may do what; whoever works with the others needs none of them. */
const aboutAccess = ['users', 'groups', 'roles', 'rolebindings', 'serviceaccounts']
const work = () => kinds.map(({ plural }) => plural).filter((plural) => !aboutAccess.includes(plural))

const builtIn: Record<BuiltInRoleName, () => RoleRule[]> = {
  admin: () => [{ verbs: ['edit', 'run'], kinds: ['*'] }, { operations: ['*'] }],
  editor: () => [{ verbs: ['edit', 'run'], kinds: work() }],
  viewer: () => [{ verbs: ['view'], kinds: work() }],
  runner: () => [
    { verbs: ['view', 'run'], kinds: ['servers', 'projects', 'tools'] },
    { verbs: ['view'], kinds: ['prompts'] },
  ],
}

/** What a role gives at a place; null for one that does not exist. Kinds that are unknown give nothing. */
export function grantsOfRole(name: string, roles: ReadonlyMap<string, RoleSpec>, place: Place): Grant[] | null {
  const rules = isBuiltInRole(name) ? builtIn[name]() : roles.get(name)?.rules
  return rules ? rules.flatMap((rule) => grantsOfRule(rule, place)) : null
}

function grantsOfRule({ verbs, kinds: words = [], names, operations }: RoleRule, place: Place): Grant[] {
  if (operations) return [{ place, operations }]
  const known = words.flatMap((word) => accessWord(word) ?? [])
  return known.map((on) => ({ place, verbs: verbs as readonly Verb[], on, ...(names && { names }) }))
}
