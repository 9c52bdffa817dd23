import type { Clock } from '@mcpg/core/clock'
import { turn } from '../turns.ts'

/** Bodies that one gateway is asked for at a time: a fleet of servers must not fill its stream with questions. */
export const maxOpenRequests = 8

type Wanted<Report> = { server: string; hash: string; report: Report }

/**
 * The inventories a gateway is still to be asked for. A body that came from elsewhere in the meantime is not asked for: `isMissing`
 * looks again just before, and does what is due where it is there. An answer that does not come in time makes room for the next.
 */
export function inventoryRequests<Report>({
  isMissing,
  ask,
  failed,
  clock,
  deadlineMs,
}: {
  isMissing: (report: Report) => Promise<boolean>
  ask: (report: Report) => void
  failed: (error: unknown) => void
  clock: Clock
  deadlineMs: number
}) {
  const waiting = new Map<string, Wanted<Report>>() // by server
  const open = new Map<string, () => void>() // by hash; cancels the deadline
  let looking = false
  let closed = false
  return { want, forget, answered, close }

  async function want(wanted: Wanted<Report>): Promise<void> {
    waiting.set(wanted.server, wanted)
    await fill()
  }

  /** The server has reported anew: what it reported before is of no interest any more. */
  function forget(server: string): void {
    waiting.delete(server)
  }

  async function answered(hash: string): Promise<void> {
    open.get(hash)?.()
    if (open.delete(hash)) await fill()
  }

  function close(): void {
    closed = true
    waiting.clear()
    for (const cancel of open.values()) cancel()
    open.clear()
  }

  async function fill(): Promise<void> {
    if (looking) return
    looking = true
    for (let next = take(); next; next = take()) {
      await turn()
      const { hash, report } = next
      const missing = await isMissing(report).catch(failed)
      if (closed) return
      if (!missing) continue
      open.set(
        hash,
        clock.after(deadlineMs, () => void answered(hash)),
      )
      ask(report)
    }
    looking = false
  }

  /**
   * What was asked for already waits for that answer. Any of the others, not the first: gateways that come back together wait for the
   * same bodies, and each should ask for different ones.
   */
  function take(): Wanted<Report> | undefined {
    if (open.size >= maxOpenRequests) return undefined
    const candidates = [...waiting.values()].filter(({ hash }) => !open.has(hash))
    const next = candidates[Math.floor(Math.random() * candidates.length)]
    if (next) waiting.delete(next.server)
    return next
  }
}
