import { createParser } from 'eventsource-parser'
import type { LogEntry } from '@mcpg/proto/rest/logs'
import { errorOfResponse } from '../api.ts'
import type { FollowParts } from './follow-log.ts'

/** A stream without a byte for this long is dead: a comment comes every 15 s. */
const silenceMs = 40_000

/** Reads one answer of a log, a stream or JSON lines, to its end; throws when it breaks or falls silent. */
export const readLog: FollowParts['read'] = async (url, isFollowed, onEntry, onOpen, signal) => {
  const watchdog = new AbortController()
  const give = () => watchdog.abort(new Error('the stream is silent'))
  let timer = setTimeout(give, silenceMs)
  try {
    const response = await fetch(url, {
      headers: { accept: isFollowed ? 'text/event-stream' : 'application/x-ndjson' },
      cache: 'no-store',
      signal: AbortSignal.any([signal, watchdog.signal]),
    })
    if (!response.ok || !response.body) throw await errorOfResponse(response)
    onOpen()
    const feed = isFollowed ? events(onEntry) : lines(onEntry)
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return feed('\n')
      clearTimeout(timer)
      timer = setTimeout(give, silenceMs)
      feed(value)
    }
  } finally {
    clearTimeout(timer)
  }
}

function events(onEntry: (entry: LogEntry) => void): (text: string) => void {
  const parser = createParser({ onEvent: ({ data }) => tell(data, onEntry) })
  return (text) => parser.feed(text)
}

function lines(onEntry: (entry: LogEntry) => void): (text: string) => void {
  let rest = ''
  return (text) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) tell(part, onEntry)
  }
}

const known = new Set<string>(['log', 'dropped', 'gateway', 'error', 'end'] satisfies LogEntry['type'][])

/** A line that is no JSON, or an entry of a newer control plane, is skipped. */
function tell(text: string, onEntry: (entry: LogEntry) => void): void {
  if (text.trim() === '') return
  let entry: LogEntry | null
  try {
    entry = JSON.parse(text) as LogEntry | null
  } catch {
    return
  }
  if (entry && known.has(entry.type)) onEntry(entry)
}
