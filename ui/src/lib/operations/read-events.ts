import type { OperationEvent } from '@mcpg/proto/rest/operations'
import { createParser } from 'eventsource-parser'
import { errorOfResponse } from '../api.ts'

/** A stream without a byte for this long is dead: a comment comes every 15 s. */
const silenceMs = 40_000

export type ReadEvents = {
  id: string
  /** The number of the last event that is known; 0: all of them. */
  after: number
  onOpen: () => void
  onEvent: (event: OperationEvent) => void
  signal: AbortSignal
}

/** Reads the events of an operation until the stream ends, or none where the last one is known; throws when it breaks or is refused. */
export async function readEvents({ id, after, onOpen, onEvent, signal }: ReadEvents): Promise<void> {
  const watchdog = new AbortController()
  const give = () => watchdog.abort(new Error('the stream is silent'))
  let timer = setTimeout(give, silenceMs)
  try {
    const response = await fetch(`/v1/operations/${encodeURIComponent(id)}/events`, {
      headers: { accept: 'text/event-stream', ...(after > 0 && { 'last-event-id': String(after) }) },
      cache: 'no-store',
      signal: AbortSignal.any([signal, watchdog.signal]),
    })
    if (response.status === 204) return
    if (!response.ok || !response.body) throw await errorOfResponse(response)
    onOpen()
    const parser = createParser({ onEvent: ({ data }) => tell(data, onEvent) })
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      clearTimeout(timer)
      timer = setTimeout(give, silenceMs)
      parser.feed(value)
    }
  } finally {
    clearTimeout(timer)
  }
}

/** What is no JSON is skipped. */
function tell(data: string, onEvent: (event: OperationEvent) => void): void {
  let event: OperationEvent
  try {
    event = JSON.parse(data) as OperationEvent
  } catch {
    return
  }
  onEvent(event)
}
