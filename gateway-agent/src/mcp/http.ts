import { systemClock, type Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Era, McpCall, McpClient, McpConnection, McpOutcome } from './connection.ts'
import { modernParams } from './envelope.ts'
import { openedModern, refused, type Opened } from './handshake.ts'
import { exchanges } from './http-exchange.ts'
import { httpWire, type HttpEra, type HttpWire } from './http-wire.ts'
import { legacyHttp } from './http-legacy.ts'
import { listedTools } from './listed-tools.ts'
import { listening } from './listening.ts'
import { paramHeaders, requestHeaders, type ParamHeader } from './param-headers.ts'
import { isObject, modernVersion, type Implementation } from './protocol.ts'
import { answeredHere } from './stdio.ts'

export type HttpOptions = {
  url: string
  /** Sent with every request: what the server wants for authorization. */
  headers?: { name: string; value: string }[]
  era: Era | 'auto'
  /** Of the handshake. */
  timeoutMs: number
  clientInfo: Implementation
  /** A longer answer fails its call. */
  maxAnswerBytes?: number
  /** Who can be asked; only a legacy server is told of it, in the session that is opened for it. */
  client?: McpClient | undefined
  clock?: Clock
}

/**
 * Talks MCP to a Streamable HTTP server. Rejects with McpgError: `unavailable` when it cannot be reached or answers with an HTTP error,
 * `timeout` (`handshake_timeout`), `failed_precondition` when it refuses. The connection itself is not lost with a socket: a request
 * that fails says so, the next one tries again.
 */
export async function connectHttp(options: HttpOptions): Promise<McpConnection> {
  const { url, headers = [], era, timeoutMs, clientInfo, maxAnswerBytes = 17 * 1024 * 1024, client, clock = systemClock } = options
  const target = new URL(url)
  const own = Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]))
  const http = exchanges({ origin: target, connectMs: Math.min(timeoutMs, 10_000), maxBytes: maxAnswerBytes, clock })
  const wire = httpWire({ exchanges: http, target: { url: target, headers: own }, client, clock })
  try {
    const tools = new Map<string, ParamHeader[]>()
    const speaks = modernEra(clientInfo, tools)
    const opened = era === 'legacy' ? null : await discover(wire, speaks, { era, timeoutMs })
    if (!opened) return await legacyHttp(wire, { timeoutMs, clientInfo, capabilities: client?.capabilities, clock, release: http.close })
    return modernHttp(wire, opened, { speaks, tools, clock, release: http.close })
  } catch (error) {
    wire.end('HandshakeFailed', error instanceof Error ? error.message : String(error))
    http.close()
    if (error instanceof McpgError && error.code === 'timeout')
      throw new McpgError('timeout', 'handshake_timeout', `The server did not finish the handshake within ${timeoutMs / 1000} s.`, {
        cause: error,
      })
    throw error
  }
}

/** Null when the server should be asked for initialize instead. */
async function discover(
  wire: HttpWire,
  speaks: HttpEra,
  { era, timeoutMs }: { era: Era | 'auto'; timeoutMs: number },
): Promise<Opened | null> {
  try {
    const outcome = await wire.request({ method: 'server/discover', timeoutMs: era === 'auto' ? timeoutMs / 3 : timeoutMs }, speaks)
    const opened = openedModern(outcome)
    if (opened || era === 'auto') return opened
    throw refused('server/discover', 'error' in outcome ? outcome.error : { code: -32022, message: 'it supports no version spoken here' })
  } catch (error) {
    // No answer that makes sense, or silence: a server of the legacy era. One that cannot be reached is asked no second time.
    if (era === 'auto' && error instanceof McpgError && (error.reason === 'no_answer' || error.code === 'timeout')) return null
    throw error
  }
}

function modernEra(clientInfo: Implementation, tools: ReadonlyMap<string, ParamHeader[]>): HttpEra {
  return {
    params: (call, id) => modernParams(call.params, id, clientInfo),
    headers: (call, params) => ({
      'mcp-protocol-version': modernVersion,
      ...requestHeaders(call.method, params, (call.method === 'tools/call' && tools.get(String(call.params?.['name']))) || []),
    }),
    resumes: false,
  }
}

type ModernParts = { speaks: HttpEra; tools: Map<string, ParamHeader[]>; clock: Clock; release: () => void }

function modernHttp(wire: HttpWire, opened: Opened, { speaks, tools, clock, release }: ModernParts): McpConnection {
  const listen = listening({
    request: (call) => wire.request(call, speaks),
    capabilities: opened.capabilities,
    deliver: wire.deliver,
    clock,
  })
  const listed = listedTools()
  listen.start()
  return {
    ...opened,
    listedTools: listed.latest,
    request,
    notify: () => {},
    onNotification: wire.onNotification,
    inFlight: wire.inFlight,
    closed: wire.closed,
    close,
  }

  async function request(call: McpCall): Promise<McpOutcome> {
    const local = answeredHere(call, listen)
    if (local) return { result: local }
    if (call.method === 'ping') call.method = 'server/discover'
    const outcome = await listed.watch(call, wire.request(call, speaks))
    if (call.method === 'tools/list' && 'result' in outcome) learn(outcome.result['tools'])
    return outcome
  }

  /** Which arguments the server wants repeated in headers. */
  function learn(listed: unknown): void {
    for (const tool of Array.isArray(listed) ? (listed as unknown[]) : []) {
      if (isObject(tool)) tools.set(String(tool['name']), paramHeaders(tool['inputSchema']))
    }
  }

  async function close(): Promise<void> {
    listen.stop()
    wire.end('Closed', 'The gateway closed the connection.')
    release()
  }
}
