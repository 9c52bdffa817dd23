import { McpgError } from '@mcpg/proto/errors'
import { AuditOutcome } from '@mcpg/proto/gen/delivery'
import type { CallNote, From } from '../audit/witness.ts'
import type { Log } from '@mcpg/core/log'
import type { Era, McpCall, McpConnection, McpFailure, McpOutcome } from '../mcp/connection.ts'
import { metaKeys, metaOf, rpcCodes, type Params } from '../mcp/protocol.ts'
import type { Reply } from './reply.ts'
import { shapeOutcome, toolError } from './result-text.ts'
import type { ServerBook } from './server-book.ts'
import type { Session } from './session.ts'
import { unavailableText, type Route } from './target.ts'

/** One request of a client, whatever its era, on its way to a server. */
export type Incoming = {
  era: Era
  method: string
  params: Params
  reply: Reply
  /** Passes a notification of the call on, or drops it. */
  notify: ((method: string, params: Params) => void) | undefined
  from: From
  /** What the audit trail is told of it. */
  note?: CallNote
  /** What the client can be asked; undefined for nothing, which is the short way. */
  declared: Params | undefined
  /** A legacy client's. */
  session: Session | undefined
  /** Who a modern client is, as far as anybody can tell; `caller.ts`. */
  caller: () => string
  /** Told the call while it is in flight, so that the client can cancel it; and when it is over. */
  started: (call: McpCall) => void
  ended: () => void
}

/** A conversation that serves one call. */
export type Slot = { instanceId: string; connection: McpConnection; release(): void }

export type Performer = ReturnType<typeof performer>

/** One call over one conversation, and every way it can end, said in the words of the client's era. */
export function performer({ log }: { log: Log }) {
  return { perform, answer, failed, refuse, request }

  /** `again` may turn the outcome into another call, as long as the server wants something first. */
  async function perform(
    incoming: Incoming,
    { book, params, rewrite }: Route,
    slot: Slot,
    again?: (outcome: McpOutcome, call: McpCall) => Promise<McpOutcome>,
  ): Promise<void> {
    const { method } = incoming
    const { connection } = slot
    if (incoming.session && connection.era === 'modern') withLevel(params, incoming.session)
    const call: McpCall = { method, params, timeoutMs: book.server.config.callTimeoutMs, onNotification: incoming.notify }
    if (incoming.note) incoming.note.instance = slot.instanceId
    incoming.started(call)
    try {
      const first = await connection.request(call)
      answer(incoming, { rewrite, connection, call }, again ? await again(first, call) : first)
    } catch (error) {
      failed(incoming, book, error)
    } finally {
      slot.release()
      incoming.ended()
    }
  }

  function answer(
    { era, method, reply, declared, note }: Pick<Incoming, 'era' | 'method' | 'reply' | 'declared' | 'note'>,
    { rewrite, connection, call }: { rewrite: Route['rewrite']; connection: McpConnection; call: McpCall },
    outcome: McpOutcome,
  ): void {
    if (note) noteOutcome(note, outcome)
    const changed = rewrite !== undefined && 'result' in outcome && rewrite(outcome.result)
    const { serverInfo } = connection
    const { refused } = call
    const shaped = shapeOutcome(outcome, { client: era, server: connection.era, method, serverInfo, changed, refused, declared })
    if ('json' in shaped) reply.result(shaped.json)
    else reply.error(shaped.failure, shaped.status)
  }

  function failed(incoming: Pick<Incoming, 'era' | 'method' | 'reply' | 'note'>, book: ServerBook, error: unknown): void {
    if (incoming.note) Object.assign(incoming.note, endOf(error))
    if (!(error instanceof McpgError)) {
      log.error({ err: error, server: book.name, method: incoming.method }, 'a call failed in a way nobody expected')
      return incoming.reply.error({ code: rpcCodes.internal, message: 'Internal error.' })
    }
    if (error.reason === 'call_cancelled') return incoming.reply.nothing()
    if (error.code === 'too_large') return incoming.reply.error({ code: rpcCodes.invalidParams, message: error.message })
    refuse(incoming, `The server "${book.name}" gave no answer: ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`)
  }

  /** Only tools have results that say "this failed"; for everything else it is an error of the protocol. */
  function refuse(
    { method, era, reply, note }: Pick<Incoming, 'era' | 'method' | 'reply' | 'note'>,
    message: string,
    extra: Params = {},
  ): void {
    if (note?.outcome === AuditOutcome.OK) Object.assign(note, { outcome: AuditOutcome.UNAVAILABLE, reason: 'ServerUnavailable' })
    if (method === 'tools/call') reply.result(toolError(message, { ...extra, ...(era === 'modern' ? { resultType: 'complete' } : {}) }))
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

/** A server of the modern era logs only for requests that say so; a legacy client that has set no level takes what comes. */
function withLevel(params: Params, { level = 'info' }: Session): void {
  params['_meta'] = { ...metaOf(params), [metaKeys.logLevel]: level }
}

function noteOutcome(note: CallNote, outcome: McpOutcome): void {
  if ('error' in outcome) Object.assign(note, { outcome: AuditOutcome.TOOL_ERROR, reason: 'RpcError' })
  else if (outcome.result['isError'] === true) Object.assign(note, { outcome: AuditOutcome.TOOL_ERROR, reason: 'ToolError' })
}

/** How a call without an answer ended. */
function endOf(error: unknown): Pick<CallNote, 'outcome' | 'reason'> {
  if (!(error instanceof McpgError)) return { outcome: AuditOutcome.UNAVAILABLE, reason: 'Internal' }
  const reason = error.reason.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
  if (error.reason === 'call_cancelled') return { outcome: AuditOutcome.CANCELLED, reason }
  if (error.code === 'timeout') return { outcome: AuditOutcome.TIMEOUT, reason }
  return { outcome: error.code === 'too_large' ? AuditOutcome.LIMITED : AuditOutcome.UNAVAILABLE, reason }
}
