import { StringDecoder } from 'node:string_decoder'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { httpClient, type Sent } from './http-client.ts'
import type { ResponseHeaders } from './http-response.ts'
import { sseReader, type SseEvent } from './sse-reader.ts'

/** Who is told what comes back to one request; exactly one of the events and `onEnd` carries the answer. Nothing comes after an abort. */
export type Receiver = {
  onStart(status: number, headers: ResponseHeaders): void
  /** A message of the event stream; empty data only carries an id. */
  onEvent(event: SseEvent): void
  onRetry(ms: number): void
  /** The whole body when it is no event stream, '' else. Not called after `onError`. */
  onEnd(body: string): void
  onError(error: McpgError): void
}

/** A request and what has come back so far. */
export type Exchange = {
  receiver: Receiver
  sent: Sent<Exchange> | undefined
  /** Of a body that is no event stream; undefined when it is not known. */
  length: number | undefined
  body: string
  chunks: Buffer[] | undefined
  size: number
  events: { push(chunk: Buffer): void; held(): number } | undefined
  isOver: boolean
  isDelivering: boolean
  cancelLinger: (() => void) | undefined
}

/** A stream that has carried its answer is given so long to end by itself, which keeps its connection for the next request. */
const lingerMs = 1_000
const maxConnections = 256

export type Exchanges = ReturnType<typeof exchanges>

/** Requests to one server, whose answers are read as they come: as one body or as a stream of events. */
export function exchanges({ origin, connectMs, maxBytes, clock }: { origin: URL; connectMs: number; maxBytes: number; clock: Clock }) {
  const client = httpClient<Exchange>({ origin, clock, connectMs, maxConnections, handler: { onStart, onData, onEnd, onError } })
  return { open, abort, close: client.close }

  function open(head: string, body: string | undefined, receiver: Receiver): Exchange {
    const exchange: Exchange = {
      receiver,
      sent: undefined,
      length: undefined,
      body: '',
      chunks: undefined,
      size: 0,
      events: undefined,
      isOver: false,
      isDelivering: false,
      cancelLinger: undefined,
    }
    exchange.sent = client.send(head, body, exchange)
    return exchange
  }

  function abort(exchange: Exchange): void {
    if (exchange.isOver) return
    exchange.isOver = true
    if (exchange.isDelivering) exchange.cancelLinger = clock.after(lingerMs, () => client.abort(exchange.sent!))
    else client.abort(exchange.sent!)
  }

  function onStart(exchange: Exchange, status: number, headers: ResponseHeaders): void {
    if (exchange.isOver) return
    if (headers['content-type']?.startsWith('text/event-stream')) exchange.events = eventStream(exchange)
    else exchange.length = Number(headers['content-length'])
    exchange.receiver.onStart(status, headers)
  }

  function onData(exchange: Exchange, chunk: Buffer): void {
    if (exchange.isOver) return
    if (exchange.events) exchange.events.push(chunk)
    else if (chunk.length === exchange.length) exchange.body = chunk.toString()
    else {
      exchange.size += chunk.length
      const copy = Buffer.from(chunk)
      if (exchange.chunks) exchange.chunks.push(copy)
      else exchange.chunks = [copy]
    }
    if (exchange.size <= maxBytes && (exchange.events?.held() ?? 0) <= maxBytes) return
    abort(exchange)
    exchange.receiver.onError(new McpgError('too_large', 'answer_too_large', `The server answered with more than ${maxBytes} bytes.`))
  }

  function onEnd(exchange: Exchange): void {
    exchange.cancelLinger?.()
    if (exchange.isOver) return
    exchange.isOver = true
    exchange.receiver.onEnd(exchange.chunks ? Buffer.concat(exchange.chunks).toString() : exchange.body)
  }

  function onError(exchange: Exchange, error: Error): void {
    exchange.cancelLinger?.()
    if (exchange.isOver) return
    exchange.isOver = true
    exchange.receiver.onError(
      error instanceof McpgError
        ? error
        : new McpgError('unavailable', 'connection_failed', `The server could not be reached: ${messageOf(error)}.`, { cause: error }),
    )
  }
}

function eventStream(exchange: Exchange) {
  const { receiver } = exchange
  const decoder = new StringDecoder('utf8')
  const reader = sseReader({ onEvent: deliver, onRetry: (ms) => receiver.onRetry(ms) })
  return { push: (chunk: Buffer) => reader.push(decoder.write(chunk)), held: reader.held }

  function deliver(event: SseEvent): void {
    if (exchange.isOver) return
    exchange.isDelivering = true
    receiver.onEvent(event)
    exchange.isDelivering = false
  }
}

/** `connect ECONNREFUSED 127.0.0.1:1` rather than an empty AggregateError. */
function messageOf(error: Error): string {
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined
  return (inner instanceof Error ? inner.message : error.message) || error.name
}
