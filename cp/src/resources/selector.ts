import { McpgError } from '@mcpg/proto/errors'
import { parseSelector, type SelectorTerm } from '@mcpg/proto/selectors'

/** Parses a label selector of a request; an error of its syntax is the caller's. */
export function readSelector(text: string | undefined, pointer: string): SelectorTerm[] {
  try {
    return parseSelector(text ?? '')
  } catch (error) {
    const detail = (error as Error).message
    throw new McpgError('invalid', 'selector_malformed', `The selector cannot be read: ${detail}.`, { violations: [{ pointer, detail }] })
  }
}
