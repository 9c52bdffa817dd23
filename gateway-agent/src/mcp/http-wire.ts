import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { failureOf, readAnswer } from './answer-text.ts'
import { serverAsks } from './asks.ts'
import type { McpCall, McpClient, McpOutcome } from './connection.ts'
import type { Exchange, Exchanges, Receiver } from './http-exchange.ts'
import { headerLines, requestHead } from './http-head.ts'
import type { ResponseHeaders } from './http-response.ts'
import { pendingCalls, type PendingCall } from './pending-calls.ts'
import { isObject, type Params } from './protocol.ts'
import type { SseEvent } from './sse-reader.ts'

const defaultCallMs = 60_000
const defaultRetryMs = 1_000
/** How often a broken response stream is taken up again before the call is given up. */
const maxResumes = 10

/** What an era adds to a request. */
export type HttpEra = {
  params(call: McpCall, id: number): Params | undefined
  headers(call: McpCall, params: Params | undefined): Record<string, string> | undefined
  /** The headers of the answer. */
  started?: (call: McpCall, headers: ResponseHeaders) => void
  /** HTTP 404: true when a new session was made and the request may be sent again. */
  renew?: () => Promise<boolean>
  /** Tells the server that nobody waits any more; closing the stream says it in the modern era. */
  cancelled?: (call: { id: number }, reason: string) => void
  /** Whether a stream that broke can be taken up by its last event id. */
  resumes: boolean
}

export type HttpTarget = { url: URL; headers: Record<string, string> }

export type HttpWire = ReturnType<typeof httpWire>

/** A call while it is asked for, and what its answer has brought so far. */
type Asking = Receiver & {
  entry: PendingCall
  era: HttpEra
  mayRenew: boolean
  headers: Record<string, string> | undefined
  status: number
  lastEventId: string | undefined
  retryMs: number
  resumes: number
}

type HttpWireParts = { exchanges: Exchanges; target: HttpTarget; client?: McpClient | undefined; clock: Clock }

/** JSON-RPC over POSTs to one URL, whatever the era: one exchange per request, answered as JSON or as a stream of events. */
export function httpWire({ exchanges, target, client, clock }: HttpWireParts) {
  const pending = pendingCalls({ clock })
  /** The call on whose stream the question that is being read came. */
  let asking: PendingCall | undefined
  const asks = serverAsks({
    client,
    send: (message) => void (over ? undefined : post(message)),
    onRefused: (method) => pending.noteRefused(method, asking),
  })
  const listeners = new Set<(method: string, params: Params) => void>()
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<{ reason: string; message: string }>()
  let over: { reason: string; message: string } | undefined
  /** Session and version, on everything that is sent. */
  let common: Record<string, string> = {}
  /** The head of a POST, made once and not for every call. */
  let posted = postHead()
  return {
    request,
    post,
    goodbye,
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
    posted = postHead()
  }

  function postHead(): string {
    const types = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
    return requestHead('POST', target.url, { ...target.headers, ...common, ...types })
  }

  /** A GET for events. */
  function listenHead(more: Record<string, string>): string {
    return requestHead('GET', target.url, { ...target.headers, ...common, ...more, accept: 'text/event-stream' })
  }

  function request(call: McpCall, era: HttpEra): Promise<McpOutcome> {
    return new Promise((resolve, reject) => {
      if (over) return reject(endedError(over.message))
      const entry = pending.start(call, { timeoutMs: call.timeoutMs ?? defaultCallMs, abandon: era.cancelled, resolve, reject })
      ask({
        entry,
        era,
        mayRenew: true,
        headers: undefined,
        status: 0,
        lastEventId: undefined,
        retryMs: defaultRetryMs,
        resumes: 0,
        onStart,
        onEvent,
        onRetry,
        onEnd,
        onError,
      })
    })
  }

  function ask(asking: Asking): void {
    const { entry, era } = asking
    const { call } = entry
    const params = era.params(call, entry.id)
    const text = params === undefined ? '' : `,"params":${JSON.stringify(params)}`
    const body = `{"jsonrpc":"2.0","id":${entry.id},"method":${JSON.stringify(call.method)}${text}}`
    try {
      asking.headers = era.headers(call, params)
      const head = asking.headers === undefined ? posted : posted + headerLines(asking.headers)
      listenTo(asking, exchanges.open(head, body, asking))
    } catch (error) {
      // A value that no header can hold.
      pending.fail(entry.id, error as Error)
    }
  }

  /** The end of the call, however it comes, ends the exchange. */
  function listenTo({ entry }: Asking, exchange: Exchange): void {
    entry.exchange = exchange
    entry.stop = abortExchange
  }

  function abortExchange(this: PendingCall): void {
    exchanges.abort(this.exchange!)
  }

  function onStart(this: Asking, status: number, headers: ResponseHeaders): void {
    this.status = status
    this.era.started?.(this.entry.call, headers)
  }

  function onEvent(this: Asking, { id, data }: SseEvent): void {
    if (id !== undefined) this.lastEventId = id
    if (data !== '') onText(data, this.entry)
  }

  function onRetry(this: Asking, ms: number): void {
    this.retryMs = ms
  }

  function onError(this: Asking, error: McpgError): void {
    pending.fail(this.entry.id, error)
  }

  function onEnd(this: Asking, text: string): void {
    const { entry, era } = this
    if (!pending.calls.has(entry.id)) return
    if (this.status === 404 && this.mayRenew && era.renew) {
      this.mayRenew = false
      return void era.renew().then(
        (renewed) => (!pending.calls.has(entry.id) ? undefined : renewed ? ask(this) : settleByBody(this, text)),
        (error: unknown) => pending.fail(entry.id, error as Error),
      )
    }
    if (text !== '' || !era.resumes || this.lastEventId === undefined || this.resumes++ >= maxResumes) return settleByBody(this, text)
    entry.stop = clock.after(this.retryMs, () => {
      const head = listenHead({ ...this.headers, 'last-event-id': this.lastEventId! })
      listenTo(this, exchanges.open(head, undefined, this))
    })
  }

  function settleByBody({ entry, status }: Asking, text: string): void {
    if (text.trim() !== '') onText(text, entry)
    if (!pending.calls.has(entry.id)) return
    const message =
      status >= 400
        ? `The server answered HTTP ${status}.`
        : `The server's answer to ${entry.method} ended without a result (HTTP ${status}).`
    const reason = status === 401 || status === 403 ? 'refused_by_server' : 'no_answer'
    pending.fail(entry.id, new McpgError('unavailable', reason, message))
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
      if (id !== undefined && id !== null) {
        asking = entry
        return asks.ask(id, method, message['params'])
      }
      const params = isObject(message['params']) ? message['params'] : {}
      if (method === 'notifications/cancelled') return asks.withdraw(params['requestId'], params['reason'])
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
  function post(message: object): Promise<void> {
    return sendOff(posted, JSON.stringify(message))
  }

  /** Ends the session. */
  function goodbye(): Promise<void> {
    return sendOff(requestHead('DELETE', target.url, { ...target.headers, ...common }), undefined)
  }

  function sendOff(head: string, body: string | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    exchanges.open(head, body, {
      onStart: () => {},
      onEvent: () => {},
      onRetry: () => {},
      onEnd: () => resolve(),
      onError: () => resolve(),
    })
    return promise
  }

  /** Opens a standing GET stream; the answer aborts it. */
  function stream(
    headers: Record<string, string>,
    on: { onStart: (status: number) => void; onId: (id: string) => void; onRetry: (ms: number) => void; onEnd: () => void },
  ): () => void {
    const exchange = exchanges.open(listenHead(headers), undefined, {
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
    })
    return () => exchanges.abort(exchange)
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
    asks.endAll(message)
    listeners.clear()
    resolveClosed(over)
  }
}

function endedError(message: string): McpgError {
  return new McpgError('unavailable', 'connection_ended', message)
}
