import type { Place } from '@mcpg/proto/access'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import { beyond, everything, within, type Grant } from '@mcpg/proto/grants'
import { accessWord, accessWords } from '@mcpg/proto/access-words'
import type { Binding } from '@mcpg/proto/rest/tokens'
import { invalid } from '../http/problems.ts'
import type { Token } from './store.ts'

/** Every right there is, at a place and below it. */
export const everythingAt = (place: Place): Grant[] => everything.map((grant) => ({ ...grant, place }))

/** What a token says it may do, before it is cut to what its owner may do. */
export const ownGrants = ({ org, grants }: Pick<Token, 'org' | 'grants'>): readonly Grant[] => grants ?? everythingAt({ org })

/** What it may do now. */
export const effectiveGrants = (token: Pick<Token, 'org' | 'grants'>, ownerMay: readonly Grant[]): Grant[] =>
  within(ownGrants(token), ownerMay)

/** What `bind` asks for, each at its place. Throws invalid with every resource that is no kind. */
export function grantsOfBindings(bindings: readonly Binding[], placeOf: (binding: Binding) => Place): Grant[] {
  const violations: Violation[] = []
  const grants = bindings.map((binding, index): Grant => {
    const place = placeOf(binding)
    if ('operation' in binding) return { place, operations: [binding.operation] }
    const { role, resource, name } = binding
    const on = accessWord(resource)
    if (on === undefined) violations.push({ pointer: `/bind/${index}/resource`, detail: `"${resource}" is not ${accessWords()}` })
    return { place, verbs: [role], on: on ?? resource, ...(name !== undefined && { names: [name] }) }
  })
  if (violations.length > 0) throw invalid(violations)
  return grants
}

/** Throws forbidden with everything that whoever asks may not do themselves. */
export function refuseBeyond(wanted: readonly Grant[], held: readonly Grant[]): void {
  const lacking = beyond(wanted, held)
  if (lacking.length === 0) return
  throw new McpgError('forbidden', 'beyond_your_rights', 'A token may never do more than you may do yourself.', {
    violations: lacking.map((grant) => ({ pointer: '/bind', detail: `you may not ${wordsOf(grant)}` })),
    hint: 'leave these out; mcpg-ctl can-i shows what you may do',
  })
}

function wordsOf(grant: Grant): string {
  const { org, workspace, environment, project } = grant.place
  const where = [org, workspace, environment ?? project].filter((part) => part !== undefined).join('/')
  const what =
    'on' in grant
      ? `${grant.verbs.join(', ')} ${grant.names?.map((name) => `${grant.on}/${name}`).join(', ') ?? grant.on}`
      : grant.operations.join(', ')
  return where === '' ? what : `${what} in ${where}`
}
