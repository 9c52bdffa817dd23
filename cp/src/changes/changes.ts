import { randomUUID } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Resource } from '@mcpg/proto/kinds/kind'

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'STATUS'

/**
 * One change of one object. `scope` is where the object lives (`resources/scope.ts`). `seq` counts all changes of this process; `version` is the number of the change
 * in its scope for stored kinds. `object` is absent for a STATUS (watchers read the newest) and for signals that only the compiler needs.
 */
export type Change = {
  seq: number
  type: ChangeType
  scope: string
  kind: string
  name: string
  version?: number | undefined
  object?: Resource | undefined
  /** For subscribers inside, e.g. `{ retry: true }` of `server restart --retry`; never leaves. */
  detail?: Record<string, unknown> | undefined
}

/** At most four status changes a second and object. */
const statusPeriodMs = 250

export type Changes = ReturnType<typeof changeBus>

/**
 * Tells what has been committed, in the order of the commits, to subscribers in this process and to watchers. The last `capacity`
 * changes are kept so that a cut watch can resume; `boot` tells the numbers of one process from those of another.
 */
export function changeBus({ clock, capacity = 20_000 }: { clock: Clock; capacity?: number }) {
  const boot = randomUUID().slice(0, 8)
  const kept: Change[] = []
  const listeners = new Set<(change: Change) => void>()
  const pending = new Map<string, { cancel: () => void; again: boolean }>()
  let last = 0
  let onListenerError = (_error: unknown) => {}
  return {
    boot,
    publish,
    status,
    onChange,
    since,
    stop,
    last: () => last,
    /** Where an error of a subscriber is told; the others still hear the change. */
    onError: (listener: (error: unknown) => void) => void (onListenerError = listener),
  }

  function publish(change: Omit<Change, 'seq'>): void {
    const numbered: Change = { ...change, seq: ++last }
    kept.push(numbered)
    // Cut in blocks: shifting a long array for every change costs more than the change.
    if (kept.length > capacity * 1.25) kept.splice(0, kept.length - capacity)
    for (const listener of listeners)
      try {
        listener(numbered)
      } catch (error) {
        onListenerError(error)
      }
  }

  /** The status of an object is another one. The first is told at once, the following ones of 250 ms together at their end. */
  function status(scope: string, kind: string, name: string): void {
    const key = `${scope}\0${kind}\0${name}`
    const waiting = pending.get(key)
    if (waiting) {
      waiting.again = true
      return
    }
    publish({ type: 'STATUS', scope, kind, name })
    const entry = { again: false, cancel: clock.after(statusPeriodMs, () => settle(key, scope, kind, name)) }
    pending.set(key, entry)
  }

  function settle(key: string, scope: string, kind: string, name: string): void {
    const entry = pending.get(key)
    pending.delete(key)
    if (entry?.again) status(scope, kind, name)
  }

  /** The answer ends the subscription. */
  function onChange(listener: (change: Change) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  /** What followed `seq`; null when that is no longer known. */
  function since(seq: number): Change[] | null {
    if (seq > last) return null
    const first = kept[0]?.seq ?? last + 1
    return seq + 1 < first ? null : kept.slice(seq + 1 - first)
  }

  function stop(): void {
    for (const { cancel } of pending.values()) cancel()
    pending.clear()
    listeners.clear()
  }
}
