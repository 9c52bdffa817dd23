import type { Clock } from '@mcpg/core/clock'
import type { AuditLevel } from '@mcpg/proto/gateway-config'
import { AuditKind, AuditOutcome } from '@mcpg/proto/gen/delivery'
import type { Params } from '../mcp/protocol.ts'
import type { Reply } from '../endpoint/reply.ts'
import type { AuditQueue } from './queue.ts'
import { plainEvent, type Witnessed } from './witnessed.ts'

/** Refused tokens that are told one by one in a window; the others as a number at its end. */
const refusalsPerWindow = 10
const windowMs = 60_000

/** What the entrance knows of a request before it is read. */
export type From = {
  /** Whom it has let in; empty where nobody is asked. */
  subject: string
  tokenId: string
  /** Who really acts, where they act for `subject`; else empty. */
  impersonator: string
  /** clientInfo.name as claimed. */
  client: string
  requestId: string
  traceparent: string
  bytes: number
}

/** What becomes known of a call on its way; whoever learns something writes it here. */
export type CallNote = { level: AuditLevel; server: string; target: string; instance: string; outcome: AuditOutcome; reason: string }

const kinds: Record<string, AuditKind> = {
  'tools/call': AuditKind.TOOL_CALL,
  'resources/read': AuditKind.RESOURCE_READ,
  'prompts/get': AuditKind.PROMPT_GET,
}

export type Witness = ReturnType<typeof callWitness>

/** Sees every call of the endpoint end and tells the queue, after the client has its answer. */
export function callWitness({ queue, clock }: { queue: Pick<AuditQueue, 'record'>; clock: Clock }) {
  const turned = { told: 0, more: 0, cancel: () => {} }
  return { watch, session, refusedToken, stop: endWindow }

  /** The request with a reply that is seen; null for what is not told. */
  function watch(
    { method, params, reply, from }: { method: string; params: Params; reply: Reply; from: From },
    { path, sessionId }: { path: string; sessionId: string },
  ): { reply: Reply; note: CallNote } | null {
    const kind = kinds[method]
    if (kind === undefined) return null
    const beganAt = clock.monotonic()
    const args = params['arguments']
    const note: CallNote = { level: 'full', server: '', target: nameIn(params), instance: '', outcome: AuditOutcome.OK, reason: '' }
    let isOver = false
    const over = (resultBytes: number) => {
      if (isOver || note.level === 'disabled') return
      isOver = true
      const { level, server, target, instance, outcome, reason } = note
      record(from, {
        atMs: clock.now(),
        kind: outcome === AuditOutcome.DENIED ? AuditKind.DENIED : kind,
        level,
        requestId: from.requestId,
        sessionId,
        subject: from.subject,
        tokenId: from.tokenId,
        client: from.client,
        project: projectOf(path),
        server,
        target,
        instance,
        outcome,
        reason,
        durationMs: clock.monotonic() - beganAt,
        requestBytes: from.bytes,
        resultBytes,
        args,
        traceparent: from.traceparent,
      })
    }
    const watched: Reply = {
      ...reply,
      result(json) {
        reply.result(json)
        over(Buffer.byteLength(json))
      },
      error(failure, status) {
        reply.error(failure, status)
        if (note.outcome === AuditOutcome.OK) Object.assign(note, { outcome: AuditOutcome.TOOL_ERROR, reason: 'RpcError' })
        over(0)
      },
      nothing() {
        reply.nothing()
        Object.assign(note, { outcome: AuditOutcome.CANCELLED, reason: 'Cancelled' })
        over(0)
      },
    }
    return { reply: watched, note }
  }

  function record({ impersonator }: From, event: Witnessed): void {
    queue.record(impersonator === '' ? event : { ...event, more: { impersonator } })
  }

  /** Somebody showed a token that does not hold. A flood of them must not push what counts out of the queue. */
  function refusedToken(path: string, source: string): void {
    if (turned.told === 0) turned.cancel = clock.after(windowMs, endWindow)
    if (turned.told >= refusalsPerWindow) return void turned.more++
    turned.told++
    tellRefused(path, source)
  }

  function endWindow(): void {
    turned.cancel()
    if (turned.more > 0) tellRefused(`and ${turned.more} more`, '')
    Object.assign(turned, { told: 0, more: 0 })
  }

  function tellRefused(target: string, source: string): void {
    const about = { outcome: AuditOutcome.DENIED, reason: 'TokenRefused', project: projectOf(target), target, more: { source } }
    queue.record({ ...plainEvent(AuditKind.DENIED, clock.now()), ...about })
  }

  /** A session of a legacy client began or ended. */
  function session(what: 'opened' | 'closed', { id, path, from }: { id: string; path: string; from: From }): void {
    const kind = what === 'opened' ? AuditKind.SESSION_OPEN : AuditKind.SESSION_CLOSE
    const requestId = what === 'opened' ? from.requestId : ''
    const { subject, tokenId, client } = from
    record(from, { ...plainEvent(kind, clock.now()), subject, tokenId, client, requestId, sessionId: id, project: projectOf(path) })
  }
}

const projectOf = (path: string): string => /^\/mcp\/projects\/([^/]+)$/.exec(path)?.[1] ?? ''

function nameIn({ name, uri }: Params): string {
  if (typeof name === 'string') return name
  return typeof uri === 'string' ? uri : ''
}
