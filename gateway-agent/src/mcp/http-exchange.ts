import { StringDecoder } from 'node:string_decoder'
import type { Dispatcher } from 'undici'
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

/** Sends one request and reads its answer as it comes; the answer aborts it. Nothing is called after the abort. */
export function exchange(
  dispatcher: Dispatcher,
  request: { origin: string; path: string; method: 'GET' | 'POST' | 'DELETE'; headers: Record<string, string>; body?: string },
  maxBytes: number,
  { onStart, onEvent, onRetry, onEnd, onError }: Exchange,
): () => void {
  let controller: Dispatcher.DispatchController | undefined
  let aborted = false
  let streaming = false
  let body = ''
  const decoder = new StringDecoder('utf8')
  const events = sseReader({ onEvent: (event) => aborted || onEvent(event), onRetry })
  dispatcher.dispatch(
    { ...request, headersTimeout: 0, bodyTimeout: 0 },
    {
      onRequestStart(started) {
        controller = started
        if (aborted) started.abort(new Error('aborted'))
      },
      onResponseStart(_controller, status, headers) {
        if (aborted) return
        streaming = String(headers['content-type'] ?? '').startsWith('text/event-stream')
        onStart(status, headers)
      },
      onResponseData(_controller, chunk) {
        if (aborted) return
        if (streaming) events.push(decoder.write(chunk))
        else body += decoder.write(chunk)
        if (body.length > maxBytes || events.held() > maxBytes)
          fail(new McpgError('too_large', 'answer_too_large', `The server answered with more than ${maxBytes} bytes.`))
      },
      onResponseEnd() {
        if (!aborted) onEnd(body)
      },
      onResponseError(_controller, error) {
        if (!aborted)
          fail(new McpgError('unavailable', 'connection_failed', `The server could not be reached: ${messageOf(error)}.`, { cause: error }))
      },
    },
  )
  return abort

  function fail(error: McpgError): void {
    abort()
    onError(error)
  }

  function abort(): void {
    if (aborted) return
    aborted = true
    controller?.abort(new Error('aborted'))
  }
}

/** `connect ECONNREFUSED 127.0.0.1:1` rather than an empty AggregateError. */
function messageOf(error: Error): string {
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined
  return (inner instanceof Error ? inner.message : error.message) || error.name
}
