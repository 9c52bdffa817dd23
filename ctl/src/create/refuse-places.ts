import { McpgError } from '@mcpg/proto/errors'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import { roleBindingKind } from '@mcpg/proto/kinds/role-binding'
import type { Context } from '../context.ts'

/** Where a binding counts stands in it; a flag of all commands would be passed by, and the binding be wider than was meant. */
export function refusePlaces({ root }: Context, { kind }: KindDeclaration): void {
  if (kind !== roleBindingKind.kind) return
  const typed = ['workspace', 'environment', 'project'].filter((flag) => root.getOptionValueSource(flag) === 'cli')
  if (typed.length === 0) return
  throw new McpgError('invalid', 'usage', `A role binding lives in the organization: --${typed[0]} does not limit it.`, {
    hint: `write ${typed.map((flag) => `--spec-${flag}`).join(' ')} instead`,
  })
}
