import { McpgError } from '@mcpg/proto/errors'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'

/** The one answer for an object that is not there and for one that the caller may not know of. */
export function unknownObject({ kind, plural }: Pick<KindDeclaration, 'kind' | 'plural'>, name: string): McpgError {
  return new McpgError('not_found', `${kind.toLowerCase()}_unknown`, `There is no ${kind} ${name}.`, { hint: `mcpg-ctl get ${plural}` })
}
