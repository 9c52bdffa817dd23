import { McpgError } from '@mcpg/proto/errors'

/** What `--label` said, each time. */
export const labelsOf = (given: readonly string[]): Record<string, string> => Object.fromEntries(given.map(pairOf))

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new McpgError('invalid', 'usage', `--label ${text} is no label.`, { hint: 'write it like disk=ssd' })
}
