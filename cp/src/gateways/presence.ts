import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import type { ConnectionState } from '@mcpg/proto/status'

type Entry = {
  state: ConnectionState
  /** Monotonic time of the last frame, of whatever kind. */
  lastFrameAt: number
  /** Monotonic time at which the stream broke without Goodbye; null while it is open or was never there. */
  brokenAt: number | null
  open: boolean
  cancel: () => void
}

/** Gateways above which heartbeats get rarer: at most this many a second, and never further apart than a minute. */
const heartbeatsPerSecond = 1000
const longestIntervalMs = 60_000

/**
 * Who is there, from the frames that came: `docs/protocol.md`. A frame costs one assignment; a timer per gateway looks again when the
 * silence could have lasted long enough. `onTransition` is called for every change of state, `late` included.
 */
export function presenceTracker({
  clock,
  timers,
  onTransition,
}: {
  clock: Clock
  timers: Pick<Timers, 'heartbeat' | 'offlineAfter' | 'offlineAfterReset'>
  onTransition: (gatewayId: string, state: ConnectionState, before: ConnectionState) => void
}) {
  const entries = new Map<string, Entry>()
  let streams = 0
  return { restore, forget, opened, frame, broken, goodbye, set, stateOf, intervalMs, offlineAfterMs, online: () => streams, stop }

  /** Heartbeat period to tell a gateway, from the number of streams. */
  function intervalMs(): number {
    return Math.max(timers.heartbeat, Math.min(longestIntervalMs, Math.round((streams / heartbeatsPerSecond) * 1000)))
  }

  function offlineAfterMs(): number {
    return Math.max(timers.offlineAfter, 4 * intervalMs())
  }

  /**
   * Takes over what the database says after a start. Nobody watched in the meantime, so whoever was there is `unknown` until it
   * comes back, or `offline` once it had the time to.
   */
  function restore(gatewayId: string, stored: ConnectionState): void {
    const watched = stored === 'online' || stored === 'late' || stored === 'unknown'
    const entry: Entry = {
      state: watched ? 'unknown' : stored,
      lastFrameAt: clock.monotonic(),
      brokenAt: null,
      open: false,
      cancel: () => {},
    }
    entries.set(gatewayId, entry)
    if (watched) look(gatewayId, entry, offlineAfterMs())
  }

  function forget(gatewayId: string): void {
    const entry = entries.get(gatewayId)
    if (entry?.open) streams--
    entry?.cancel()
    entries.delete(gatewayId)
  }

  function opened(gatewayId: string): void {
    const entry = entryOf(gatewayId)
    if (!entry.open) streams++
    entry.open = true
    entry.brokenAt = null
    entry.lastFrameAt = clock.monotonic()
    move(gatewayId, entry, 'online')
    look(gatewayId, entry, lateAfterMs())
  }

  function frame(gatewayId: string): void {
    const entry = entries.get(gatewayId)
    if (!entry?.open) return
    entry.lastFrameAt = clock.monotonic()
    if (entry.state === 'online') return
    move(gatewayId, entry, 'online')
    look(gatewayId, entry, lateAfterMs())
  }

  /** The stream ended without Goodbye: the gateway may be back in a moment. */
  function broken(gatewayId: string): void {
    const entry = entries.get(gatewayId)
    if (!entry?.open) return
    streams--
    entry.open = false
    entry.brokenAt = clock.monotonic()
    look(gatewayId, entry, timers.offlineAfterReset)
  }

  function goodbye(gatewayId: string): void {
    set(gatewayId, 'stopped')
  }

  /** A state that does not come from frames: `stopped`, `revoked`, `never_seen`. */
  function set(gatewayId: string, state: ConnectionState): void {
    const entry = entryOf(gatewayId)
    if (entry.open) streams--
    entry.open = false
    entry.brokenAt = null
    entry.cancel()
    move(gatewayId, entry, state)
  }

  function stateOf(gatewayId: string): ConnectionState {
    return entries.get(gatewayId)?.state ?? 'unknown'
  }

  function stop(): void {
    for (const entry of entries.values()) entry.cancel()
  }

  function lateAfterMs(): number {
    return 2.5 * intervalMs()
  }

  function entryOf(gatewayId: string): Entry {
    let entry = entries.get(gatewayId)
    if (!entry) {
      entry = { state: 'never_seen', lastFrameAt: clock.monotonic(), brokenAt: null, open: false, cancel: () => {} }
      entries.set(gatewayId, entry)
    }
    return entry
  }

  function look(gatewayId: string, entry: Entry, inMs: number): void {
    entry.cancel()
    entry.cancel = clock.after(Math.max(1, inMs), () => judge(gatewayId, entry))
  }

  function judge(gatewayId: string, entry: Entry): void {
    const now = clock.monotonic()
    const silentMs = now - entry.lastFrameAt
    const gone = silentMs >= offlineAfterMs() || (entry.brokenAt !== null && now - entry.brokenAt >= timers.offlineAfterReset)
    if (gone) return move(gatewayId, entry, 'offline')
    if (entry.state === 'online' && entry.open && silentMs >= lateAfterMs()) move(gatewayId, entry, 'late')
    const waits = [offlineAfterMs() - silentMs]
    if (entry.state === 'online' && entry.open) waits.push(lateAfterMs() - silentMs)
    if (entry.brokenAt !== null) waits.push(timers.offlineAfterReset - (now - entry.brokenAt))
    look(gatewayId, entry, Math.min(...waits))
  }

  function move(gatewayId: string, entry: Entry, state: ConnectionState): void {
    const before = entry.state
    if (before === state) return
    entry.state = state
    onTransition(gatewayId, state, before)
  }
}
