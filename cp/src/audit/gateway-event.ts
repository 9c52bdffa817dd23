import { fromBinary } from '@bufbuild/protobuf'
import { durationMs, timestampMs } from '@bufbuild/protobuf/wkt'
import { AuditEventSchema, AuditKind, AuditOutcome, type AuditEvent } from '@mcpg/proto/gen/delivery'
import type { AuditEntry } from '@mcpg/proto/rest/audit'
import type { GatewayAuditRow } from '../db/db.ts'

type Gateway = { id: string; org: string; workspace: string; name: string }

const actions: Partial<Record<AuditKind, string>> = {
  [AuditKind.TOOL_CALL]: 'tool.call',
  [AuditKind.RESOURCE_READ]: 'resource.read',
  [AuditKind.PROMPT_GET]: 'prompt.get',
  [AuditKind.DENIED]: 'call.deny',
  [AuditKind.SESSION_OPEN]: 'session.open',
  [AuditKind.SESSION_CLOSE]: 'session.close',
}
/** What is a call, and not about a session. */
export const callActions = ['tool.call', 'resource.read', 'prompt.get', 'call.deny']
const maxText = 512

/**
 * The columns of an event, and the id of the token that was used, if any: the end of a session is no use. What cannot be read is kept all
 * the same: it is a link of the chain.
 */
export function storedEvent(
  gateway: Gateway,
  seq: number,
  hash: string,
  bytes: Uint8Array<ArrayBuffer>,
  now: number,
): { row: GatewayAuditRow; usedToken: string | null } {
  const event = readEvent(bytes)
  const row: GatewayAuditRow = {
    id: `${gateway.id}/${String(seq).padStart(16, '0')}`,
    gatewayId: gateway.id,
    seq,
    at: new Date(plausible(event?.time && timestampMs(event.time), now)).toISOString(),
    org: gateway.org,
    workspace: gateway.workspace,
    gateway: gateway.name,
    actor: text(event?.subject) ?? 'anonymous',
    verified: event?.verified ?? false,
    action: event ? (actions[event.kind] ?? 'gateway.event') : 'gateway.unreadable',
    server: text(event?.server),
    target: text(event?.target),
    session: text(event?.sessionId),
    client: text(event?.clientName),
    outcome: outcomeOf(event),
    requestId: text(event?.correlationId),
    bytes,
    hash,
  }
  return { row, usedToken: event && event.kind !== AuditKind.SESSION_CLOSE ? text(event.tokenId) : null }
}

/** What else an event says, beside its columns. */
export function detailOf(bytes: Uint8Array): AuditEntry['detail'] {
  const event = readEvent(bytes)
  if (!event) return undefined
  const { project, duration, requestBytes, resultBytes, argumentsHash, reason, traceparent, tokenId } = event
  return {
    ...(tokenId !== '' && { token: tokenId }),
    ...(project !== '' && { project }),
    ...(reason !== '' && { reason }),
    ...(duration && { durationMs: durationMs(duration) }),
    ...(requestBytes > 0n && { requestBytes: Number(requestBytes) }),
    ...(resultBytes > 0n && { resultBytes: Number(resultBytes) }),
    ...(argumentsHash.length > 0 && { argumentsHash: Buffer.from(argumentsHash).toString('hex') }),
    ...(traceparent !== '' && { traceparent }),
  }
}

function readEvent(bytes: Uint8Array): AuditEvent | null {
  try {
    return fromBinary(AuditEventSchema, bytes)
  } catch {
    return null
  }
}

const outcomeOf = (event: AuditEvent | null): string =>
  event ? (AuditOutcome[event.outcome]?.toLowerCase().replaceAll('_', '-') ?? 'unknown') : 'unknown'

/** The clock of a gateway may stand anywhere; what no calendar has is the time at which the event came. */
const plausible = (ms: number | undefined, now: number): number => (ms !== undefined && ms > 0 && ms < 253_402_300_799_000 ? ms : now)

/** PostgreSQL has no NUL in texts. */
const text = (value: string | undefined): string | null => value?.replaceAll('\0', '').slice(0, maxText) || null
