import type { Clock } from '@mcpg/core/clock'
import type { ObjectEvents } from '../events/events.ts'
import type { Outbox } from './outbox.ts'

/** Sends object events during one stream, those of `statusFlush` together; what waited for the stream goes at once. */
export function eventReports({
  events,
  outbox,
  clock,
  timers,
}: {
  events: ObjectEvents
  outbox: Outbox
  clock: Clock
  timers: { statusFlush: number }
}) {
  let cancel: (() => void) | null = null
  const unsubscribe = events.onTell(() => (cancel ??= clock.after(timers.statusFlush, send)))
  send()
  return { close }

  function send(): void {
    cancel = null
    if (!events.waits()) return
    outbox.push('events', () => {
      const report = events.take()
      if (events.waits()) send()
      return report && { case: 'objectEvents', value: report }
    })
  }

  function close(): void {
    cancel?.()
    unsubscribe()
  }
}
