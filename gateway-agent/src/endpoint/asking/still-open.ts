import type { Clock } from '@mcpg/core/clock'
import type { McpAsk } from '../../mcp/connection.ts'

/** Tells a server that wants to know, now and then, that its question is still being answered, so that it goes on waiting. */
export function stillOpen({ report }: McpAsk, { clock, ms }: { clock: Clock; ms: number }): () => void {
  if (!report) return () => {}
  let count = 0
  let cancel = clock.after(ms, tell)
  return () => cancel()

  function tell(): void {
    report?.({ progress: ++count, message: 'The client has not answered yet.' })
    cancel = clock.after(ms, tell)
  }
}
