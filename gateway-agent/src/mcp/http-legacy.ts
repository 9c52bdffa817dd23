import type { Clock } from '@mcpg/core/clock'
import type { McpCall, McpConnection, McpOutcome } from './connection.ts'
import { legacyParams } from './envelope.ts'
import { initializeParams, openedLegacy, type Opened } from './handshake.ts'
import type { HttpEra, HttpWire } from './http-wire.ts'
import { listedTools } from './listed-tools.ts'
import type { Implementation } from './protocol.ts'

const streamRetryBaseMs = 1_000
const streamRetryMaxMs = 60_000
const goodbyeMs = 500
const changed = ['notifications/tools/list_changed', 'notifications/prompts/list_changed', 'notifications/resources/list_changed']

type LegacyOptions = {
  timeoutMs: number
  clientInfo: Implementation
  capabilities: Record<string, unknown> | undefined
  clock: Clock
  release: () => void
}

/**
 * A session with a legacy server. A session the server has forgotten (HTTP 404) is made anew once for all requests that noticed; what
 * was subscribed and set in the old one is set again, and everybody is told that every list may have changed.
 */
export async function legacyHttp(
  wire: HttpWire,
  { timeoutMs, clientInfo, capabilities, clock, release }: LegacyOptions,
): Promise<McpConnection> {
  const subscribed = new Set<string>()
  let level: unknown
  let sessionId: string | undefined
  let renewing: Promise<boolean> | undefined
  let closeStream: (() => void) | undefined
  let streamFailures = 0
  /** A 404 after a stream was open means a lost session; before, that the server has no such stream. */
  let hadStream = false
  const speaks: HttpEra = {
    params: (call, id) => legacyParams(call.params, id),
    headers: () => undefined,
    started: (call, headers) => {
      const given = headers['mcp-session-id']
      if (call.method === 'initialize' && typeof given === 'string') sessionId = given
    },
    renew,
    cancelled: ({ id }, reason) => notify('notifications/cancelled', { requestId: id, reason }),
    resumes: true,
  }
  const listed = listedTools()
  const opened = await initialize()
  openStream()
  return {
    ...opened,
    listedTools: listed.latest,
    request,
    notify,
    onNotification: wire.onNotification,
    inFlight: wire.inFlight,
    closed: wire.closed,
    close,
  }

  async function initialize(): Promise<Opened> {
    sessionId = undefined
    wire.setHeaders({})
    const { renew: _never, cancelled: _neither, ...first } = speaks
    const answer = openedLegacy(
      await wire.request({ method: 'initialize', params: initializeParams(clientInfo, capabilities), timeoutMs }, first),
    )
    const version: Record<string, string> = { 'mcp-protocol-version': answer.protocolVersion }
    wire.setHeaders(sessionId === undefined ? version : { ...version, 'mcp-session-id': sessionId })
    notify('notifications/initialized')
    return answer
  }

  async function request(call: McpCall): Promise<McpOutcome> {
    const outcome = await listed.watch(call, wire.request(call, speaks))
    if ('result' in outcome) remember(call)
    return outcome
  }

  function remember({ method, params }: McpCall): void {
    if (method === 'resources/subscribe') subscribed.add(String(params?.['uri']))
    else if (method === 'resources/unsubscribe') subscribed.delete(String(params?.['uri']))
    else if (method === 'logging/setLevel') level = params?.['level']
  }

  function renew(): Promise<boolean> {
    if (sessionId === undefined && !renewing) return Promise.resolve(false)
    renewing ??= restart().finally(() => (renewing = undefined))
    return renewing
  }

  async function restart(): Promise<boolean> {
    closeStream?.()
    hadStream = false
    await initialize()
    openStream()
    const again: HttpEra = { ...speaks, renew: () => Promise.resolve(false) }
    const replays = [...subscribed].map((uri) => wire.request({ method: 'resources/subscribe', params: { uri } }, again))
    if (level !== undefined) replays.push(wire.request({ method: 'logging/setLevel', params: { level } }, again))
    await Promise.allSettled(replays)
    for (const method of changed) wire.deliver(method, {})
    return true
  }

  /** Where list changes and updates come from; a server without one answers with an HTTP error and is not asked again. */
  function openStream(lastEventId?: string): void {
    let status = 0
    let lastId = lastEventId
    let retryMs: number | undefined
    let cancelWait: (() => void) | undefined
    const abort = wire.stream(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }, {
      onStart: (code) => (status = code),
      onId: (id) => (lastId = id),
      onRetry: (ms) => (retryMs = ms),
      onEnd: () => {
        if (wire.isOver()) return
        if (status === 404 && hadStream) return void renew().catch(() => {})
        if (status >= 400) return
        hadStream ||= status === 200
        streamFailures = status === 200 ? 0 : streamFailures + 1
        const wait = retryMs ?? Math.min(streamRetryMaxMs, streamRetryBaseMs * 2 ** streamFailures) * (0.5 + Math.random() / 2)
        cancelWait = clock.after(wait, () => openStream(lastId))
      },
    })
    closeStream = () => {
      abort()
      cancelWait?.()
    }
  }

  function notify(method: string, params?: Record<string, unknown>): void {
    if (!wire.isOver()) void wire.post({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) })
  }

  async function close(): Promise<void> {
    closeStream?.()
    const ended = sessionId === undefined ? undefined : wire.goodbye()
    wire.end('Closed', 'The gateway closed the connection.')
    // A server that does not answer is not waited for.
    await Promise.race([ended, new Promise<void>((resolve) => clock.after(goodbyeMs, resolve))])
    release()
  }
}
