import { isLastPhase } from '@mcpg/proto/managed-gateways'
import type { OperationEvent } from '@mcpg/proto/rest/operations'
import { ApiError } from '../api.ts'
import { retryDelayMs } from '../live/connection.ts'
import type { ReadEvents } from './read-events.ts'

export type FollowStatus =
  | { state: 'connecting' }
  | { state: 'following' }
  | { state: 'reconnecting'; retryAt: number } // it goes on after the last event
  | { state: 'ended' }
  | { state: 'refused'; error: Error }

export type FollowParts = {
  read: (about: ReadEvents) => Promise<void>
  onEvents: (events: OperationEvent[]) => void
  onStatus: (status: FollowStatus) => void
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  now: () => number
  random: () => number
}

/** Follows an operation to its end, each event once and in order: a stream that breaks is resumed after the last one. */
export async function followOperation(id: string, parts: FollowParts, signal: AbortSignal): Promise<void> {
  const events: OperationEvent[] = []
  let failures = 0
  parts.onStatus({ state: 'connecting' })
  while (!signal.aborted) {
    const error = await parts
      .read({
        id,
        after: events.at(-1)?.seq ?? 0,
        signal,
        onOpen: () => {
          failures = 0
          parts.onStatus({ state: 'following' })
        },
        onEvent: (event) => {
          if (event.seq <= (events.at(-1)?.seq ?? 0)) return
          events.push(event)
          parts.onEvents([...events])
        },
      })
      .then(
        () => null,
        (cause: unknown) => cause as Error,
      )
    if (signal.aborted) return
    const last = events.at(-1)
    if (last && isLastPhase(last.phase)) return parts.onStatus({ state: 'ended' })
    if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429)
      return parts.onStatus({ state: 'refused', error })
    failures++
    const delay = retryDelayMs(failures, parts.random)
    parts.onStatus({ state: 'reconnecting', retryAt: parts.now() + delay })
    await parts.wait(delay, signal)
  }
}
