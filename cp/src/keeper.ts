import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { periodically } from '@mcpg/core/periodically'

/** Forgets one kind of thing that is past its time, in short transactions, and ends early when `stopping` aborts. */
export type Chore = { name: string; run: (stopping: AbortSignal) => Promise<void> }

const periodMs = 3_600_000

/** Does the chores one after the other, at the start and once an hour. One that fails is logged and holds up no other. */
export function keeper({ chores, clock, log }: { chores: Chore[]; clock: Clock; log: Log }): Part {
  const failed = (error: unknown, chore?: string) => log.warn({ err: error, chore }, 'old rows could not be removed')
  return periodically({ name: 'keeper', clock, firstMs: 0, everyMs: periodMs, work: doAll, failed })

  async function doAll(stopping: AbortSignal): Promise<void> {
    for (const { name, run } of chores) {
      if (stopping.aborted) return
      await run(stopping).catch((error: unknown) => failed(error, name))
    }
  }
}
