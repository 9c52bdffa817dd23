import type { WatchEvent } from '@mcpg/proto/rest/watch'
import { createParser } from 'eventsource-parser'
import { errorOfResponse } from '../api.ts'

/** A stream without a byte for this long is dead: the control plane sends a BOOKMARK every 15 s. */
const silenceMs = 40_000
/** A proxy that buffers answers the head and then nothing. */
const openMs = 10_000

export type ReadWatch = {
  url: string
  /** The cursor to resume from; undefined: everything, then what changes. */
  cursor: string | undefined
  signal: AbortSignal
  onOpen: () => void
  onEvent: (event: WatchEvent, cursor: string | undefined) => void
}

/**
 * Reads one watch until it ends. `fetch` and not EventSource, which hides the status: a 410 would look like a broken line.
 * Answers `expired` when the cursor is too old, `ended` when the control plane closed it; throws when it broke or never began.
 */
export async function readWatch({ url, cursor, signal, onOpen, onEvent }: ReadWatch): Promise<'expired' | 'ended'> {
  const watchdog = new AbortController()
  let timer = setTimeout(giveUp, openMs)
  const headers: Record<string, string> = { accept: 'text/event-stream' }
  if (cursor !== undefined) headers['last-event-id'] = cursor
  try {
    const response = await fetch(url, { headers, cache: 'no-store', signal: AbortSignal.any([signal, watchdog.signal]) })
    if (response.status === 410) return 'expired'
    if (!response.ok || !response.body) throw await errorOfResponse(response)
    // A resumed stream may have nothing to say before its next bookmark; a new one begins with what there is.
    if (cursor !== undefined) opened()
    let expired = false
    const parser = createParser({
      onEvent: ({ event, data, id }) => {
        const parsed = parseEvent(event, data)
        if (parsed?.type === 'EXPIRED') expired = true
        else if (parsed) onEvent(parsed, id)
      },
    })
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let first = cursor === undefined
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return expired ? 'expired' : 'ended'
      if (first) opened()
      first = false
      restart()
      parser.feed(value)
      if (expired) {
        await reader.cancel()
        return 'expired'
      }
    }
  } finally {
    clearTimeout(timer)
  }

  function opened() {
    restart()
    onOpen()
  }
  function restart() {
    clearTimeout(timer)
    timer = setTimeout(giveUp, silenceMs)
  }
  function giveUp() {
    watchdog.abort(new Error('the stream is silent'))
  }
}

/** The type stands in the data and in `event:`; a line that is no JSON or of a newer control plane is skipped. */
function parseEvent(name: string | undefined, data: string): WatchEvent | undefined {
  try {
    const body = (data === '' ? {} : JSON.parse(data)) as Partial<WatchEvent>
    const type = body.type ?? (name as WatchEvent['type'] | undefined)
    return type ? { ...body, type } : undefined
  } catch {
    return undefined
  }
}
