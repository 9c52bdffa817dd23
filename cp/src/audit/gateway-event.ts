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
  [AuditKind.SECRET_USE]: 'secret.use',
}
const configActions: Partial<Record<AuditOutcome, string>> = {
  [AuditOutcome.OK]: 'config.apply',
  [AuditOutcome.DENIED]: 'config.reject',
  [AuditOutcome.FAILED]: 'config.roll-back',
}
/** What a gateway does by itself, and nobody asked it for. */
export const isOwnAction = (action: string): boolean => /^(secret|config)\./.test(action)
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
  const action = actionOf(event)
  const row: GatewayAuditRow = {
    id: `${gateway.id}/${String(seq).padStart(16, '0')}`,
    gatewayId: gateway.id,
    seq,
    at: new Date(plausible(event?.time && timestampMs(event.time), now)).toISOString(),
    org: gateway.org,
    workspace: gateway.workspace,
    gateway: gateway.name,
    actor: isOwnAction(action) ? gateway.id : (text(event?.subject) ?? 'anonymous'),
    verified: isOwnAction(action) || (event?.verified ?? false),
    action,
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

function actionOf(event: AuditEvent | null): string {
  if (!event) return 'gateway.unreadable'
  return (event.kind === AuditKind.CONFIG ? configActions[event.outcome] : actions[event.kind]) ?? 'gateway.event'
}

/** What else an event says, beside its columns. */
export function restOf(bytes: Uint8Array): Pick<AuditEntry, 'source' | 'impersonator' | 'detail'> {
  const event = readEvent(bytes)
  if (!event) return {}
  const { source, impersonator } = event
  return { ...(source !== '' && { source }), ...(impersonator !== '' && { impersonator }), detail: detailOf(event) }
}

function detailOf(event: AuditEvent): AuditEntry['detail'] {
  const { project, duration, requestBytes, resultBytes, argumentsHash, reason, traceparent, tokenId } = event
  const { instanceId, argumentsUnhashed, secrets, configGeneration, configHash } = event
  return {
    ...(tokenId !== '' && { token: tokenId }),
    ...(project !== '' && { project }),
    ...(reason !== '' && { reason }),
    ...(duration && { durationMs: durationMs(duration) }),
    ...(requestBytes > 0n && { requestBytes: Number(requestBytes) }),
    ...(resultBytes > 0n && { resultBytes: Number(resultBytes) }),
    ...(argumentsHash.length > 0 && { argumentsHash: Buffer.from(argumentsHash).toString('hex') }),
    ...(argumentsUnhashed && { argumentsUnhashed }),
    ...(traceparent !== '' && { traceparent }),
    ...(instanceId !== '' && { instance: instanceId }),
    ...(secrets.length > 0 && { secrets: secrets.map(({ name, key, version }) => ({ name, key, version: Number(version) })) }),
    ...(configGeneration > 0n && { generation: Number(configGeneration), configHash: Buffer.from(configHash).toString('hex') }),
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
