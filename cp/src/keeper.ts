import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'

/** Forgets one kind of thing that is past its time, in short transactions, and ends early when `stopping` aborts. */
export type Chore = { name: string; run: (stopping: AbortSignal) => Promise<void> }

const periodMs = 3_600_000

/** Does the chores one after the other, at the start and once an hour. One that fails is logged and holds up no other. */
export function keeper({ chores, clock, log }: { chores: Chore[]; clock: Clock; log: Log }): Part {
  const stopping = new AbortController()
  let cancel = () => {}
  let running: Promise<void> = Promise.resolve()
  return {
    name: 'keeper',
    start: async () => schedule(0),
    async stop() {
      stopping.abort()
      cancel()
      await running
    },
  }

  function schedule(inMs: number): void {
    // A timer left behind would keep the process alive.
    if (stopping.signal.aborted) return
    cancel = clock.after(inMs, () => {
      running = doAll().then(() => schedule(periodMs))
    })
  }

  async function doAll(): Promise<void> {
    for (const { name, run } of chores) {
      if (stopping.signal.aborted) return
      await run(stopping.signal).catch((error: unknown) => log.warn({ err: error, chore: name }, 'old rows could not be removed'))
    }
  }
}
