import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import type { McpConnection } from '../mcp/connection.ts'

/** Failures in a row after which an instance is ended. */
export const maxProbeFailures = 3

type Probing = {
  connection: McpConnection
  timers: Pick<Timers, 'probe' | 'probeTimeout'>
  clock: Clock
  /** After every probe; `failures` counts those in a row, `error` is what the last one said. */
  onProbe: (failures: number, error: string) => void
}

/** Asks a proven server whether it still answers: ping, in the modern era server/discover. Any answer will do, an error too. */
export function startProbing({ connection, timers, clock, onProbe }: Probing): () => void {
  let failures = 0
  let over = false
  let cancel = clock.after(timers.probe, probe)
  return () => {
    over = true
    cancel()
  }

  function probe(): void {
    const method = connection.era === 'legacy' ? 'ping' : 'server/discover'
    connection.request({ method, timeoutMs: timers.probeTimeout }).then(
      () => answered(0, ''),
      (error: unknown) => answered(failures + 1, error instanceof Error ? error.message : String(error)),
    )
  }

  function answered(count: number, error: string): void {
    if (over) return
    failures = count
    cancel = clock.after(timers.probe, probe)
    onProbe(failures, error)
  }
}
