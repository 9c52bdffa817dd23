import { Duration, durationMs } from '@mcpg/proto/durations'
import { McpgError } from '@mcpg/proto/errors'

/** Milliseconds of a flag that takes a duration. */
export function durationOption(flag: string, text: string): number {
  const parsed = Duration.safeParse(text)
  if (!parsed.success)
    throw new McpgError('invalid', 'usage', `${flag} ${text} is no duration.`, { hint: 'write it like 500ms, 30s, 5m, 2h or 1d' })
  return durationMs(parsed.data)
}
