import type { Dispatcher } from 'undici'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { failureOf, readAnswer } from './answer-text.ts'
import type { McpCall, McpOutcome } from './connection.ts'
import { answerToServer } from './envelope.ts'
import { exchange } from './http-exchange.ts'
import { pendingCalls, type PendingCall } from './pending-calls.ts'
import { isObject, type Params } from './protocol.ts'

const defaultCallMs = 60_000
const defaultRetryMs = 1_000
/** How often a broken response stream is taken up again before the call is given up. */
const maxResumes = 10

/** What an era adds to a request. */
export type HttpEra = {
  params(call: McpCall, id: number): Params | undefined
  headers(call: McpCall, params: Params | undefined): Record<string, string> | undefined
  /** The headers of the answer. */
  started?: (call: McpCall, headers: Record<string, string | string[] | undefined>) => void
  /** HTTP 404: true when a new session was made and the request may be sent again. */
  renew?: () => Promise<boolean>
  /** Tells the server that nobody waits any more; closing the stream says it in the modern era. */
  cancelled?: (call: { id: number }, reason: string) => void
  /** Whether a stream that broke can be taken up by its last event id. */
  resumes: boolean
}

export type HttpTarget = { origin: string; path: string; headers: Record<string, string>; maxBytes: number }

export type HttpWire = ReturnType<typeof httpWire>

/** JSON-RPC over POSTs to one URL, whatever the era: one exchange per request, answered as JSON or as a stream of events. */
export function httpWire({ dispatcher, target, clock }: { dispatcher: Dispatcher; target: HttpTarget; clock: Clock }) {
  const pending = pendingCalls({ clock })
  const exchanging = { dispatcher, clock, maxBytes: target.maxBytes }
  const listeners = new Set<(method: string, params: Params) => void>()
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<{ reason: string; message: string }>()
  let over: { reason: string; message: string } | undefined
  /** Session and version, on everything that is sent. */
  let common: Record<string, string> = {}
  /** All headers of a POST, made once and not for every call. */
  let posted = postHeaders()
  return {
    request,
    post,
    stream,
    deliver,
    onNotification,
    setHeaders,
    inFlight: pending.inFlight,
    closed,
    end,
    isOver: () => over !== undefined,
  }

  function setHeaders(headers: Record<string, string>): void {
    common = headers
    posted = postHeaders()
  }

  function postHeaders(): Record<string, string> {
    return { ...target.headers, ...common, accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
  }

  function request(call: McpCall, era: HttpEra): Promise<McpOutcome> {
    return new Promise((resolve, reject) => {
      if (over) return reject(endedError(over.message))
      const entry = pending.start(call, { timeoutMs: call.timeoutMs ?? defaultCallMs, abandon: era.cancelled, resolve, reject })
      send(call, entry, era, true)
    })
  }

  function send(call: McpCall, entry: PendingCall, era: HttpEra, mayRenew: boolean): void {
    const params = era.params(call, entry.id)
    const text = params === undefined ? '' : `,"params":${JSON.stringify(params)}`
    const body = `{"jsonrpc":"2.0","id":${entry.id},"method":${JSON.stringify(call.method)}${text}}`
    const more = era.headers(call, params)
    const headers = more === undefined ? posted : { ...posted, ...more }
    const reading = { status: 0, lastEventId: undefined as string | undefined, retryMs: defaultRetryMs, resumes: 0 }
    entry.stop = exchangeWith('POST', headers, body)

    function exchangeWith(method: 'GET' | 'POST', withHeaders: Record<string, string>, withBody?: string): () => void {
      return exchange(
        exchanging,
        { origin: target.origin, path: target.path, method, headers: withHeaders, ...(withBody === undefined ? {} : { body: withBody }) },
        {
          onStart: (status, received) => {
            reading.status = status
            era.started?.(call, received)
          },
          onRetry: (ms) => (reading.retryMs = ms),
          onEvent: ({ id, data }) => {
            if (id !== undefined) reading.lastEventId = id
            if (data !== '') onText(data, entry)
          },
          onEnd,
          onError: (error) => pending.fail(entry.id, error),
        },
      )
    }

    function onEnd(text: string): void {
      if (!pending.calls.has(entry.id)) return
      if (reading.status === 404 && mayRenew && era.renew) {
        return void era.renew().then(
          (renewed) => (!pending.calls.has(entry.id) ? undefined : renewed ? send(call, entry, era, false) : settleByBody(text)),
          (error: unknown) => pending.fail(entry.id, error as Error),
        )
      }
      if (text === '' && era.resumes && reading.lastEventId !== undefined && reading.resumes++ < maxResumes) {
        const cancelWait = clock.after(reading.retryMs, () => {
          entry.stop = exchangeWith('GET', { ...headers, accept: 'text/event-stream', 'last-event-id': reading.lastEventId! })
        })
        return void (entry.stop = cancelWait)
      }
      settleByBody(text)
    }

    function settleByBody(text: string): void {
      if (text.trim() !== '') onText(text, entry)
      if (!pending.calls.has(entry.id)) return
      const message =
        reading.status >= 400
          ? `The server answered HTTP ${reading.status}.`
          : `The server's answer to ${call.method} ended without a result (HTTP ${reading.status}).`
      const reason = reading.status === 401 || reading.status === 403 ? 'refused_by_server' : 'no_answer'
      pending.fail(entry.id, new McpgError('unavailable', reason, message))
    }
  }

  function onText(text: string, entry: PendingCall): void {
    const answer = readAnswer(text)
    if (answer) {
      if (answer.id === entry.id) pending.settle(entry.id, answer)
      return
    }
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      return
    }
    for (const one of Array.isArray(message) ? (message as unknown[]) : [message]) onMessage(one, entry)
  }

  /** A message of a response stream (`entry`) or of the standing one. */
  function onMessage(message: unknown, entry?: PendingCall): void {
    if (!isObject(message)) return
    const { id, method, result, error } = message
    if (typeof method === 'string') {
      if (id !== undefined && id !== null) return void post({ jsonrpc: '2.0', id, ...answerToServer(method) })
      const params = isObject(message['params']) ? message['params'] : {}
      if (method === 'notifications/progress') return onProgress(params)
      if (method === 'notifications/message') return onLog(params, entry)
      // A stream that was opened to listen tells everybody, through who opened it.
      if (entry?.timeoutMs === Infinity) return entry.onNotification?.(method, params)
      return deliver(method, params)
    }
    // An error that names no id, as servers answer requests they cannot read, belongs to the request of this exchange.
    if (!entry || (id !== entry.id && !(error !== undefined && (id === null || id === undefined)))) return
    if (isObject(result)) pending.settle(entry.id, { result })
    else if (error !== undefined) pending.settle(entry.id, { error: failureOf(error) })
  }

  /** A log line of the standing stream names no call: it can only belong to one that is alone, with several it could reach a stranger. */
  function onLog(params: Params, entry: PendingCall | undefined): void {
    const [call, ...others] = entry ? [entry] : pending.ofClients()
    if (!call) deliver('notifications/message', params)
    else if (others.length === 0) call.onNotification?.('notifications/message', params)
  }

  function onProgress(params: Params): void {
    const call = pending.calls.get(params['progressToken'] as number)
    if (!call || call.progressToken === undefined) return
    pending.touch(call)
    call.onNotification?.('notifications/progress', { ...params, progressToken: call.progressToken })
  }

  /** Sends what has no answer; a failure shows at the next request. */
  function post(message: object, method: 'POST' | 'DELETE' = 'POST'): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    exchange(
      exchanging,
      {
        origin: target.origin,
        path: target.path,
        method,
        headers: posted,
        ...(method === 'POST' ? { body: JSON.stringify(message) } : {}),
      },
      { onStart: () => {}, onEvent: () => {}, onRetry: () => {}, onEnd: () => resolve(), onError: () => resolve() },
    )
    return promise
  }

  /** Opens a standing GET stream; the answer aborts it. */
  function stream(
    headers: Record<string, string>,
    on: { onStart: (status: number) => void; onId: (id: string) => void; onRetry: (ms: number) => void; onEnd: () => void },
  ) {
    return exchange(
      exchanging,
      {
        origin: target.origin,
        path: target.path,
        method: 'GET',
        headers: { ...target.headers, ...common, ...headers, accept: 'text/event-stream' },
      },
      {
        onStart: on.onStart,
        onRetry: on.onRetry,
        onEvent: ({ id, data }) => {
          if (id !== undefined) on.onId(id)
          try {
            if (data !== '') onMessage(JSON.parse(data))
          } catch {
            // Not JSON: nothing for anybody.
          }
        },
        onEnd: on.onEnd,
        onError: on.onEnd,
      },
    )
  }

  function deliver(method: string, params: Params): void {
    for (const listener of listeners) listener(method, params)
  }

  function onNotification(listener: (method: string, params: Params) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  function end(reason: string, message: string): void {
    if (over) return
    over = { reason, message }
    pending.failAll(() => endedError(message))
    listeners.clear()
    resolveClosed(over)
  }
}

function endedError(message: string): McpgError {
  return new McpgError('unavailable', 'connection_ended', message)
}
