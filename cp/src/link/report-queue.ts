import { turn } from '../turns.ts'

/** Reports of one gateway that may wait: more than the servers it may have, times two. */
export const maxWaitingReports = 5_000

/**
 * Handles one report of a gateway after the other, with turns of the event loop in between: a gateway that comes back tells about all
 * of its servers at once, and so do its neighbours. `overflow` is called once, when too many wait, and nothing more is taken then.
 */
export function reportQueue<Report>({
  handle,
  overflow,
  failed,
}: {
  handle: (report: Report) => Promise<void>
  overflow: () => void
  failed: (error: unknown) => void
}) {
  let waiting: Report[] = []
  let working = false
  let open = true
  return { push, close }

  function push(report: Report): void {
    if (!open) return
    if (waiting.push(report) > maxWaitingReports) {
      close()
      return overflow()
    }
    if (!working) void work()
  }

  function close(): void {
    open = false
    waiting = []
  }

  async function work(): Promise<void> {
    working = true
    while (waiting.length > 0) {
      const reports = waiting
      waiting = []
      for (const report of reports) {
        await turn()
        if (open) await handle(report).catch(failed)
      }
    }
    working = false
  }
}
