import { McpgError } from '@mcpg/proto/errors'
import type { Log } from '@mcpg/core/log'
import type { Era, McpCall, McpFailure, McpOutcome } from '../mcp/connection.ts'
import { rpcCodes, type Params } from '../mcp/protocol.ts'
import type { Reply } from './reply.ts'
import { shapeOutcome, toolError } from './result-text.ts'
import type { ServerBook } from './server-book.ts'
import { unavailableText, type Route, type Routed, type Target } from './target.ts'

/** One request of a client, whatever its era, on its way to a server. */
export type Incoming = {
  era: Era
  method: string
  params: Params
  reply: Reply
  /** Passes a notification of the call on, or drops it. */
  notify: ((method: string, params: Params) => void) | undefined
  /** Told the call while it is in flight, so that the client can cancel it; and when it is over. */
  started: (call: McpCall) => void
  ended: () => void
}

export type Forward = ReturnType<typeof forwarder>

/** Sends requests to servers and their answers back; the hot path. */
export function forwarder({ log }: { log: Log }) {
  return { forward, request }

  function forward(incoming: Incoming, target: Target): Promise<void> | void {
    const routed = target.route(incoming.method, incoming.params)
    return routed instanceof Promise ? routed.then((route) => follow(incoming, route)) : follow(incoming, routed)
  }

  function follow(incoming: Incoming, routed: Routed): Promise<void> | void {
    if ('failure' in routed) return incoming.reply.error(routed.failure)
    if ('unavailable' in routed) return refuse(incoming, routed.unavailable)
    return send(incoming, routed)
  }

  async function send(incoming: Incoming, { book, params, rewrite }: Route): Promise<void> {
    const { method, reply } = incoming
    const slot = book.server.acquire()
    if ('unavailable' in slot) return refuse(incoming, unavailableText(book.name, slot.unavailable))
    const { connection } = slot
    const call: McpCall = { method, params, timeoutMs: book.server.config.callTimeoutMs, onNotification: incoming.notify }
    incoming.started(call)
    try {
      const outcome = await connection.request(call)
      const changed = rewrite !== undefined && 'result' in outcome && rewrite(outcome.result)
      const serverInfo = connection.serverInfo
      const shaped = shapeOutcome(outcome, { client: incoming.era, server: connection.era, method, serverInfo, changed })
      if ('json' in shaped) reply.result(shaped.json)
      else reply.error(shaped.failure, shaped.status)
    } catch (error) {
      failed(incoming, book, error)
    } finally {
      slot.release()
      incoming.ended()
    }
  }

  function failed(incoming: Incoming, book: ServerBook, error: unknown): void {
    if (!(error instanceof McpgError)) {
      log.error({ err: error, server: book.name, method: incoming.method }, 'a call failed in a way nobody expected')
      return incoming.reply.error({ code: rpcCodes.internal, message: 'Internal error.' })
    }
    if (error.reason === 'call_cancelled') return incoming.reply.nothing()
    if (error.code === 'too_large') return incoming.reply.error({ code: rpcCodes.invalidParams, message: error.message })
    refuse(incoming, `The server "${book.name}" gave no answer: ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`)
  }

  /** Only tools have results that say "this failed"; for everything else it is an error of the protocol. */
  function refuse({ method, era, reply }: Incoming, message: string): void {
    if (method === 'tools/call') reply.result(toolError(message, era === 'modern' ? { resultType: 'complete' } : {}))
    else reply.error({ code: rpcCodes.internal, message })
  }

  /** A request of the endpoint itself, such as a subscription many clients share. */
  async function request(book: ServerBook, method: string, params: Params): Promise<McpOutcome | { error: McpFailure }> {
    const slot = book.server.acquire()
    if ('unavailable' in slot) return { error: { code: rpcCodes.internal, message: unavailableText(book.name, slot.unavailable) } }
    try {
      return await slot.connection.request({ method, params, timeoutMs: book.server.config.callTimeoutMs })
    } catch (error) {
      const message = error instanceof McpgError ? error.message : 'Internal error.'
      return { error: { code: rpcCodes.internal, message: `The server "${book.name}" gave no answer: ${message}` } }
    } finally {
      slot.release()
    }
  }
}
