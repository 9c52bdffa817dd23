import type { Clock } from '@mcpg/core/clock'
import type { ListKind } from './lists.ts'
import type { Listing } from './listing.ts'

export type Announcements = ReturnType<typeof announcements>

/**
 * What happens when a server says that its lists changed: they are read again and clients are told when that is done, or when it takes
 * too long. A server that says it all the time is read, and clients are told, once per `waitMs` at most.
 */
export function announcements({
  lists,
  clock,
  waitMs,
  onAnnounced,
}: {
  lists: Record<ListKind, Listing>
  clock: Clock
  waitMs: number
  onAnnounced: (kinds: ListKind[]) => void
}) {
  /** Kinds announced within the last `waitMs`: whether clients have been told, and whether it was announced again meanwhile. */
  const running = new Map<ListKind, { told: boolean; again: boolean }>()
  let stopped = false
  return { announce, isAnnouncing: (kind: ListKind) => running.get(kind)?.told === false, stop: () => void (stopped = true) }

  function announce(kinds: ListKind[]): void {
    const idle = kinds.filter((kind) => !running.has(kind))
    for (const kind of kinds) {
      const current = running.get(kind)
      if (current) current.again = true
      else running.set(kind, { told: false, again: false })
    }
    if (idle.length > 0) void read(idle)
  }

  async function read(kinds: ListKind[]): Promise<void> {
    const refreshed = kinds.map((kind) => {
      lists[kind].invalidate()
      return lists[kind].refresh()
    })
    const patience = new Promise<void>((resolve) => void clock.after(waitMs, resolve))
    await Promise.race([Promise.all(refreshed), patience])
    for (const kind of kinds) running.set(kind, { told: true, again: running.get(kind)?.again ?? false })
    if (!stopped) onAnnounced(kinds)
    await patience
    const again = kinds.filter((kind) => running.get(kind)?.again)
    for (const kind of kinds) running.delete(kind)
    if (again.length > 0 && !stopped) announce(again)
  }
}
