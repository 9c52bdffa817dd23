import type { LogEntry } from '@mcpg/proto/rest/logs'
import { ApiError } from '../api.ts'
import { lineOf, type LogLine } from './log-buffer.ts'

export type LogStatus =
  | { state: 'connecting' }
  | { state: 'following' }
  | { state: 'reconnecting'; retryAt: number; error: ApiError | undefined } // what the control plane said, if it said something
  | { state: 'ended' }
  | { state: 'refused'; error: Error }

/** What to read; `path` with its query, without `follow`, `tail` and `since`. */
export type LogRequest = { path: string; query: Record<string, string>; tail: string; since: string; isFollowed: boolean }

export type FollowParts = {
  /** Reads one answer to its end; throws when it broke. */
  read: (url: string, isFollowed: boolean, onEntry: (entry: LogEntry) => void, onOpen: () => void, signal: AbortSignal) => Promise<void>
  onLines: (lines: LogLine[]) => void
  onStatus: (status: LogStatus) => void
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  now: () => number
  random: () => number
}

/** Lines remembered to know again what a new stream repeats. */
const remembered = 500

/**
 * Reads a log, and follows it until the signal ends: a stream that breaks is opened again from the time of the last line on. What was
 * already shown is not shown twice, and that there was a break is said.
 */
export async function followLog(request: LogRequest, parts: FollowParts, signal: AbortSignal): Promise<void> {
  const seen = new Set<string>()
  let lastTime = ''
  let failures = 0
  parts.onStatus({ state: 'connecting' })
  while (!signal.aborted) {
    let isOpen = false
    let isOver = false // it said its end; without that a stream was cut
    const isResumed = lastTime !== ''
    const repeated = new Set(seen)
    const url = urlOf(request, lastTime)
    const end = await parts
      .read(
        url,
        request.isFollowed,
        (entry) => {
          if (entry.type === 'log') {
            const key = `${entry.time} ${entry.gateway} ${entry.instance} ${entry.text.slice(0, 200)}`
            // Twice the same line in one stream is two lines.
            if (isResumed && repeated.delete(key)) return
            remember(key)
            lastTime = entry.time > lastTime ? entry.time : lastTime
          }
          isOver ||= entry.type === 'end'
          parts.onLines([lineOf(entry)])
        },
        () => {
          isOpen = true
          failures = 0
          parts.onStatus({ state: 'following' })
        },
        signal,
      )
      .then(
        () => 'ended' as const,
        (error: unknown) => error as Error,
      )
    if (signal.aborted) return
    if (end === 'ended' && (!request.isFollowed || isOver)) return parts.onStatus({ state: 'ended' })
    if (end instanceof ApiError && end.status >= 400 && end.status < 500 && end.status !== 429)
      return parts.onStatus({ state: 'refused', error: end })
    if (!request.isFollowed) return parts.onStatus({ state: 'refused', error: end as Error })
    if (isOpen) parts.onLines([lineOf({ type: 'error', message: 'The connection broke; it goes on from here' })])
    failures++
    const delay = Math.round(250 + parts.random() * Math.min(10_000, 500 * 2 ** failures))
    const error = end instanceof ApiError && end.status > 0 ? end : undefined
    parts.onStatus({ state: 'reconnecting', retryAt: parts.now() + delay, error })
    await parts.wait(delay, signal)
  }

  function remember(key: string): void {
    seen.add(key)
    if (seen.size <= remembered) return
    for (const oldest of seen) {
      seen.delete(oldest)
      break
    }
  }
}

function urlOf({ path, query, tail, since, isFollowed }: LogRequest, lastTime: string): string {
  const search = new URLSearchParams({ ...query, ...(isFollowed ? { follow: 'true' } : {}) })
  search.set('tail', lastTime ? 'all' : tail)
  const from = lastTime || since
  if (from) search.set('since', from)
  return `${path}?${search}`
}
