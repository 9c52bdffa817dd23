import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { Clock } from '@mcpg/core/clock'
import { redact } from '@mcpg/core/redact'
import { ObjectEventReportSchema, ObjectEventSchema, type ObjectEvent, type ObjectEventReport } from '@mcpg/proto/gen/delivery'

/** What waits for a control plane that is away: by object and reason, so it is not more than there are objects that break. */
const maxWaiting = 500
const maxPerReport = 100
const maxMessage = 1024

/** Something worth telling about an object of this gateway; `reason` is CamelCase. */
export type Happening = {
  kind: 'Instance' | 'Server' | 'Gateway'
  name: string
  warning: boolean
  reason: string
  message: string
}
export type Tell = (what: Happening) => void

export type ObjectEvents = ReturnType<typeof objectEvents>

/** Object events on their way to the control plane: of equal ones the newest message and how often since the last report. */
export function objectEvents({ clock }: { clock: Pick<Clock, 'now'> }) {
  const waiting = new Map<string, ObjectEvent>()
  const listeners = new Set<() => void>()
  let dropped = 0
  return { tell, take, onTell, waits: () => waiting.size > 0 }

  function tell({ kind, name, warning, reason, message }: Happening): void {
    const key = `${kind}/${name}/${reason}`
    const before = waiting.get(key)
    if (!before && waiting.size >= maxWaiting) return void dropped++
    waiting.delete(key)
    waiting.set(
      key,
      create(ObjectEventSchema, {
        time: timestampFromMs(clock.now()),
        kind,
        name,
        warning,
        reason,
        message: redact(message).slice(0, maxMessage),
        count: (before?.count ?? 0) + 1,
      }),
    )
    for (const listener of listeners) listener()
  }

  /** What waits, at most as much as one report holds; null for nothing. It counts as told. */
  function take(): ObjectEventReport | null {
    const events = [...waiting].slice(0, maxPerReport)
    if (events.length === 0) return null
    for (const [key] of events) waiting.delete(key)
    return create(ObjectEventReportSchema, { events: events.map(([, event]) => event), droppedTotal: BigInt(dropped) })
  }

  function onTell(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
}
