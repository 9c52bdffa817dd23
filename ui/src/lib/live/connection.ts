import type { WatchEvent } from '@mcpg/proto/rest/watch'
import type { ReadWatch } from './read-watch.ts'

export type LiveStatus =
  | { state: 'connecting' } // before the first answer
  | { state: 'live' } // a stream is open
  | { state: 'paused' } // the tab is hidden and gave its stream back
  | { state: 'reconnecting'; retryAt: number } // the stream broke, the next try is near
  | { state: 'polling' } // streams are blocked, lists are read every 10 s
  | { state: 'offline'; retryAt: number } // nothing answers; the page shows what it had

export const pollMs = 10_000

/** Full jitter: a restarted control plane is not met by every open page at once. */
export const retryDelayMs = (failures: number, random: () => number) => Math.round(250 + random() * Math.min(pollMs, 1000 * 2 ** failures))

export type ConnectionParts = {
  read: (options: Omit<ReadWatch, 'url'>) => Promise<'expired' | 'ended'>
  /** Reads all lists over REST; throws when the control plane does not answer. */
  poll: (signal: AbortSignal) => Promise<void>
  onSnapshot: () => void // a stream without cursor begins
  onEvent: (event: WatchEvent) => void
  onStatus: (status: LiveStatus) => void
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  now: () => number
  random: () => number
}

/**
 * Keeps one watch open until the signal ends: a broken stream is resumed by its cursor, an expired one begins anew; from the second
 * failure in a row on the lists are polled, so that the page stays right where streams are blocked.
 */
export async function keepConnected(parts: ConnectionParts, signal: AbortSignal): Promise<void> {
  let cursor: string | undefined
  let failures = 0
  parts.onStatus({ state: 'connecting' })
  while (!signal.aborted) {
    let opened = false
    // A snapshot cut in the middle has told only a part: its cursors resume nothing before its bookmark.
    let whole = cursor !== undefined
    if (!whole) parts.onSnapshot()
    const end = await parts
      .read({
        cursor,
        signal,
        onOpen: () => {
          opened = true
          parts.onStatus({ state: 'live' })
        },
        onEvent: (event, id) => {
          whole ||= event.type === 'BOOKMARK'
          if (id && whole) cursor = id
          parts.onEvent(event)
        },
      })
      .catch(() => 'broken' as const)
    if (signal.aborted) return
    if (end === 'expired' && cursor !== undefined) {
      cursor = undefined
      continue
    }
    failures = opened ? 0 : failures + 1
    await pauseBeforeRetry()
  }

  async function pauseBeforeRetry(): Promise<void> {
    if (failures < 2) {
      const delay = retryDelayMs(failures, parts.random)
      parts.onStatus({ state: 'reconnecting', retryAt: parts.now() + delay })
      return parts.wait(delay, signal)
    }
    const answered = await parts.poll(signal).then(
      () => true,
      () => false,
    )
    // What was polled is newer than the cursor knows: the next stream begins with everything.
    if (answered) cursor = undefined
    const delay = answered ? pollMs : retryDelayMs(failures, parts.random)
    if (!signal.aborted) parts.onStatus(answered ? { state: 'polling' } : { state: 'offline', retryAt: parts.now() + delay })
    return parts.wait(delay, signal)
  }
}
