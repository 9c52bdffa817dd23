import { createParser } from 'eventsource-parser'
import { setTimeout as delay } from 'node:timers/promises'
import { McpgError } from '@mcpg/proto/errors'
import { headersOf, isModern, type Message } from './messages.ts'
import { toolHeaders } from './tool-headers.ts'

/** Longest pause between attempts to open the stream of a session. */
const maxStreamPauseMs = 10_000

/**
 * One client on standard input and output, one MCP endpoint over Streamable HTTP. Messages pass as they are, both eras alike:
 * legacy ones get the session's headers, and a session that the gateway has lost (it was restarted) is opened anew with the client's own
 * `initialize`; modern ones get the headers of their request, and `notifications/cancelled` closes its response.
 */
export function bridge({
  url,
  fetch,
  token,
  write,
  signal,
}: {
  url: string
  /** Trusts what this endpoint is to be trusted by. */
  fetch: typeof globalThis.fetch
  token: string | undefined
  write: (message: unknown) => void
  signal: AbortSignal
}) {
  const open = new Map<string | number, AbortController>()
  const pending = new Set<Promise<void>>()
  const toolParams = toolHeaders()
  const ended = new AbortController()
  let session: { id: string | null; version: string } | null = null
  let initialize: Message | null = null
  let opening: Promise<void> | null = null
  return { receive, close }

  /** Takes one message of the client; resolves when it may send the next one. */
  async function receive(message: Message): Promise<void> {
    if (message.method === 'notifications/cancelled' && cancel(message)) return
    const work = forward(message).finally(() => pending.delete(work))
    pending.add(work)
    // What follows an initialize or its notification needs the session these two make.
    if (message.method === 'initialize' || message.method === 'notifications/initialized') await work
    if (message.method === 'notifications/initialized') void listen()
  }

  /** Waits for answers that are on their way, then ends the session. */
  async function close(): Promise<void> {
    await Promise.race([Promise.all(pending), delay(5_000, undefined, { ref: false })])
    ended.abort()
    if (session?.id) await post('DELETE', undefined, sessionHeaders(), AbortSignal.timeout(2_000)).catch(() => {})
  }

  /** A modern request is cancelled by closing its response; a legacy server wants the notification. */
  function cancel(message: Message): boolean {
    const id = message.params?.['requestId'] as string | number
    const request = open.get(id)
    if (!request || session) return false
    request.abort()
    return true
  }

  async function forward(message: Message): Promise<void> {
    const abort = new AbortController()
    if (message.id !== undefined && message.method) open.set(message.id, abort)
    try {
      await send(message, AbortSignal.any([signal, ended.signal, abort.signal]))
    } catch (error) {
      if (!abort.signal.aborted && !ended.signal.aborted) fail(message, whyNot(error))
    } finally {
      if (message.id !== undefined) open.delete(message.id)
    }
  }

  async function send(message: Message, until: AbortSignal, isRetry = false): Promise<void> {
    const modern = isModern(message)
    if (message.method === 'initialize') [initialize, session] = [message, null]
    else if (!modern) await opening?.catch(() => {})
    const used = session
    const response = await post(
      'POST',
      message,
      modern ? { ...headersOf(message), ...toolParams.headersOf(message) } : sessionHeaders(),
      until,
    )
    if (response.status === 404 && used?.id && !modern && !isRetry && (used !== session || (await reopen())))
      return send(message, until, true)
    if (message.method === 'initialize' && response.ok) session = { id: response.headers.get('mcp-session-id'), version: '' }
    if (!response.ok) return refuse(message, response)
    await read(response, message)
  }

  /** Repeats the client's own initialize; its answer is not the client's to see again. */
  async function reopen(): Promise<boolean> {
    const first = initialize
    if (!first) return false
    opening ??= (async () => {
      session = null
      const response = await post('POST', first, {}, signal)
      if (response.ok) session = { id: response.headers.get('mcp-session-id'), version: '' }
      await messagesOf(response, noteVersion)
      await post('POST', { jsonrpc: '2.0', method: 'notifications/initialized' }, sessionHeaders(), signal)
      void listen()
    })().finally(() => (opening = null))
    return opening.then(
      () => session !== null,
      () => false,
    )
  }

  /** The stream on which a legacy server speaks unasked; one that has none answers 405. */
  async function listen(): Promise<void> {
    const mine = session
    const isMine = () => mine !== null && mine === session && !ended.signal.aborted
    for (let pauseMs = 500; isMine(); pauseMs = Math.min(maxStreamPauseMs, pauseMs * 2)) {
      const response = await post('GET', undefined, sessionHeaders(), AbortSignal.any([signal, ended.signal])).catch(() => null)
      if (response?.status === 405 || response?.status === 400) return
      if (response?.status === 404 && isMine()) return void (await reopen())
      if (response?.ok) {
        pauseMs = 500
        await messagesOf(response, write).catch(() => {})
      }
      await delay(pauseMs, undefined, { signal: ended.signal, ref: false }).catch(() => {})
    }
  }

  async function read(response: Response, request: Message): Promise<void> {
    let isAnswered = request.id === undefined || !request.method
    await messagesOf(response, (message) => {
      if (message.id !== undefined && message.id === request.id && !message.method) isAnswered = true
      if (request.method === 'initialize') noteVersion(message)
      if (request.method === 'tools/list') toolParams.learn(message)
      write(message)
    })
    if (!isAnswered) fail(request, 'the gateway closed the connection before it answered')
  }

  function noteVersion(message: Message): void {
    const version = message.result?.['protocolVersion']
    if (session && typeof version === 'string') session.version = version
  }

  /** A JSON-RPC error of the gateway passes; anything else becomes one. */
  async function refuse(message: Message, response: Response): Promise<void> {
    const body = parseMessage(await response.text().catch(() => ''))
    if (body?.error && message.id !== undefined) return write({ ...body, id: message.id })
    // The control plane in between says what is wrong and what to do about it.
    const { detail, hint } = (body ?? {}) as { detail?: unknown; hint?: unknown }
    if (typeof detail === 'string') return fail(message, typeof hint === 'string' ? `${detail} (${hint})` : detail)
    fail(message, `the gateway answered ${response.status} ${response.statusText}`)
  }

  function fail(message: Message, text: string): void {
    if (message.id !== undefined && message.method) write({ jsonrpc: '2.0', id: message.id, error: { code: -32603, message: text } })
  }

  /** A sign-in that is over says itself what to do. */
  function whyNot(error: unknown): string {
    if (error instanceof McpgError) return error.hint === undefined ? error.message : `${error.message} (${error.hint})`
    return `the gateway at ${url} cannot be reached: ${reasonOf(error)}`
  }

  function sessionHeaders(): Record<string, string> {
    return {
      ...(session?.id ? { 'mcp-session-id': session.id } : {}),
      ...(session?.version ? { 'mcp-protocol-version': session.version } : {}),
    }
  }

  function post(method: string, body: unknown, headers: Record<string, string>, until: AbortSignal): Promise<Response> {
    return fetch(url, {
      method,
      signal: until,
      redirect: 'error',
      headers: {
        accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }
}

/** Every message of an answer, be it JSON or a stream. */
async function messagesOf(response: Response, each: (message: Message) => void): Promise<void> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const message = parseMessage(await response.text())
    if (message) each(message)
    return
  }
  const parser = createParser({
    onEvent: ({ data }) => {
      const message = parseMessage(data)
      if (message) each(message)
    },
  })
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }))
}

export function parseMessage(text: string): Message | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Message) : null
  } catch {
    return null
  }
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  return cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code || message : message
}
