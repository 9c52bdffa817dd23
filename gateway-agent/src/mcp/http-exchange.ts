import { StringDecoder } from 'node:string_decoder'
import type { Dispatcher } from 'undici'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { sseReader, type SseEvent } from './sse-reader.ts'

/** What came back to one request; exactly one of `onJson`, the events and `onEnd` carries the answer. */
export type Exchange = {
  onStart: (status: number, headers: Record<string, string | string[] | undefined>) => void
  /** A message of the event stream; empty data only carries an id. */
  onEvent: (event: SseEvent) => void
  onRetry: (ms: number) => void
  /** The whole body when it is no event stream, '' else. Not called after `onError`. */
  onEnd: (body: string) => void
  onError: (error: McpgError) => void
}

/** One for all: nobody reads its stack, and an abort is on the path of calls. */
const abandoned = new Error('abandoned')
/** A stream that has carried its answer is given so long to end by itself, which keeps its socket for the next request. */
const lingerMs = 1_000

export type ExchangeRequest = {
  origin: string
  path: string
  method: 'GET' | 'POST' | 'DELETE'
  headers: Record<string, string>
  body?: string
}

/** Sends one request and reads its answer as it comes; the answer aborts it. Nothing is called after the abort. */
export function exchange(
  { dispatcher, clock, maxBytes }: { dispatcher: Dispatcher; clock: Clock; maxBytes: number },
  request: ExchangeRequest,
  { onStart, onEvent, onRetry, onEnd, onError }: Exchange,
): () => void {
  let controller: Dispatcher.DispatchController | undefined
  let isOver = false
  let hasEnded = false
  let isDelivering = false
  let events: { push(chunk: Buffer): void; held(): number } | undefined
  const chunks: Buffer[] = []
  let size = 0
  let cancelLinger: (() => void) | undefined
  dispatcher.dispatch(request, {
    onRequestStart(started) {
      controller = started
      if (isOver) started.abort(abandoned)
    },
    onResponseStart(_controller, status, headers) {
      if (isOver) return
      if (String(headers['content-type'] ?? '').startsWith('text/event-stream')) events = eventStream()
      onStart(status, headers)
    },
    onResponseData(_controller, chunk) {
      if (isOver) return
      if (events) events.push(chunk)
      else {
        chunks.push(chunk)
        size += chunk.length
      }
      if (size > maxBytes || (events?.held() ?? 0) > maxBytes)
        fail(new McpgError('too_large', 'answer_too_large', `The server answered with more than ${maxBytes} bytes.`))
    },
    onResponseEnd() {
      hasEnded = true
      cancelLinger?.()
      if (!isOver) onEnd(chunks.length === 1 ? chunks[0]!.toString() : Buffer.concat(chunks).toString())
    },
    onResponseError(_controller, error) {
      hasEnded = true
      cancelLinger?.()
      if (!isOver)
        fail(new McpgError('unavailable', 'connection_failed', `The server could not be reached: ${messageOf(error)}.`, { cause: error }))
    },
  })
  return abort

  function eventStream() {
    const decoder = new StringDecoder('utf8')
    const reader = sseReader({ onEvent: deliver, onRetry })
    return { push: (chunk: Buffer) => reader.push(decoder.write(chunk)), held: reader.held }
  }

  function deliver(event: SseEvent): void {
    if (isOver) return
    isDelivering = true
    onEvent(event)
    isDelivering = false
  }

  function fail(error: McpgError): void {
    abort()
    onError(error)
  }

  function abort(): void {
    if (isOver) return
    isOver = true
    if (hasEnded) return
    if (isDelivering) cancelLinger = clock.after(lingerMs, () => controller?.abort(abandoned))
    else controller?.abort(abandoned)
  }
}

/** `connect ECONNREFUSED 127.0.0.1:1` rather than an empty AggregateError. */
function messageOf(error: Error): string {
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined
  return (inner instanceof Error ? inner.message : error.message) || error.name
}
