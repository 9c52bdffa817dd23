import type { McpCall, McpOutcome } from './connection.ts'
import type { Params } from './protocol.ts'

/** Remembers the latest complete answer to `tools/list`: whoever proves a server has read its list already. */
export function listedTools() {
  let latest: Params | undefined
  return { latest: () => latest, watch }

  function watch({ method, params }: McpCall, answer: Promise<McpOutcome>): Promise<McpOutcome> {
    if (method === 'tools/list' && params?.['cursor'] === undefined) answer.then(note, () => {})
    return answer
  }

  function note(outcome: McpOutcome): void {
    if ('result' in outcome && outcome.result['nextCursor'] === undefined) latest = outcome.result
  }
}
