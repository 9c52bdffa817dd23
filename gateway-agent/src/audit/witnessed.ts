import canonicalize from 'canonicalize'
import { hash, randomBytes } from 'node:crypto'
import type { AuditLevel, SecretReference } from '@mcpg/proto/gateway-config'
import { AuditOutcome, type AuditKind } from '@mcpg/proto/gen/delivery'
import { begin, bytes, finish, nested, text, whole } from './wire.ts'

/** What the gateway saw of one request, or of a session. Never arguments or results; `args` are hashed at once and forgotten. */
export type Witnessed = {
  atMs: number
  kind: AuditKind
  level: Exclude<AuditLevel, 'disabled'>
  requestId: string
  /** The key to a session of a legacy client; only its hash is written. Empty in the modern era. */
  sessionId: string
  /** Whom the entrance has let in; empty where nobody is asked to prove who they are. */
  subject: string
  /** Id of the token that was shown; empty for none. */
  tokenId: string
  /** clientInfo.name, which anybody can claim. */
  client: string
  project: string
  server: string
  target: string
  /** The instance that answered; empty where none was asked. */
  instance: string
  outcome: AuditOutcome
  /** CamelCase; empty when it ended well. */
  reason: string
  durationMs: number
  requestBytes: number
  resultBytes: number
  args: unknown
  traceparent: string
  /** What few events have. */
  more?: More
}

/**
 * `source` is the address of a peer that nobody knows by name, `secrets` what was opened to start the server, `impersonator` who really
 * acted for `subject`.
 */
type More =
  | { impersonator: string }
  | { source: string }
  | { secrets: readonly SecretReference[] }
  | { config: { generation: number; hash: string } }

/** What is no call: nothing but its kind. */
export function plainEvent(kind: AuditKind, atMs: number): Witnessed {
  const who = { requestId: '', sessionId: '', subject: '', tokenId: '', client: '', traceparent: '' }
  const what = { project: '', server: '', target: '', instance: '', outcome: AuditOutcome.OK, reason: '' }
  return { atMs, kind, level: 'full', ...who, ...what, durationMs: 0, requestBytes: 0, resultBytes: 0, args: undefined }
}

/** Names from a client, which may be anything, are cut. */
const maxName = 256
/** Writing the canonical form of more would hold up calls. */
const maxHashedBytes = 64 * 1024

/**
 * The event as it is numbered, linked, sent and stored: at `hash-only` names are hashes, which tell only what one knows already. Written
 * field by field, as `AuditEvent` of delivery.proto has them: it is made for every call, and the general way costs several times as much.
 */
export function bytesOf(seen: Witnessed): Uint8Array<ArrayBuffer> {
  const { atMs, kind, level, outcome, reason, durationMs, requestBytes, resultBytes, args, project, server, traceparent } = seen
  if (!Number.isFinite(atMs) || !Number.isFinite(durationMs)) throw new TypeError('a time of the event is no number')
  const name = level === 'hash-only' ? hashed : cut
  begin()
  span(1, atMs)
  whole(2, kind)
  text(3, seen.requestId === '' ? ownId() : cut(seen.requestId))
  text(5, seen.sessionId === '' ? '' : sha256Hex(seen.sessionId).slice(0, 32))
  text(6, name(seen.subject))
  text(7, name(seen.tokenId))
  // Who it was is what the gateway has checked, or nothing at all.
  whole(8, seen.subject === '' ? 0 : 1)
  text(9, name(seen.client))
  text(10, cut(project))
  text(11, server)
  text(12, name(seen.target))
  text(13, seen.instance)
  whole(14, outcome)
  text(15, reason)
  span(16, durationMs)
  whole(17, requestBytes)
  whole(18, resultBytes)
  const isHashed = args !== undefined && requestBytes > 0 && requestBytes <= maxHashedBytes
  if (isHashed) bytes(19, hash('sha256', canonicalize(args) ?? '', 'buffer'))
  text(20, cut(traceparent))
  if (args !== undefined && !isHashed) whole(22, 1)
  if (seen.more) more(seen.more, name)
  return finish()
}

/** A Timestamp or a Duration, to the millisecond. */
function span(field: number, ms: number): void {
  const total = Math.max(0, Math.round(ms))
  nested(field, () => {
    whole(1, Math.floor(total / 1000))
    whole(2, (total % 1000) * 1_000_000)
  })
}

function more(about: More, name: (value: string) => string): void {
  if ('impersonator' in about) text(26, name(about.impersonator))
  if ('source' in about) text(21, about.source)
  if ('secrets' in about) for (const one of about.secrets) secret(one)
  if (!('config' in about)) return
  whole(24, about.config.generation)
  bytes(25, Buffer.from(about.config.hash, 'hex'))
}

function secret({ name, key, version }: SecretReference): void {
  nested(23, () => {
    text(1, name)
    text(2, key)
    whole(3, version)
  })
}

const run = randomBytes(12).toString('hex')
let last = 0
/** Of a request whose client gave none. */
const ownId = (): string => `${run}-${(++last).toString(36)}`

const sha256Hex = (value: string): string => hash('sha256', value)
const hashed = (value: string): string => (value === '' ? '' : `sha256:${sha256Hex(value)}`)
const cut = (value: string): string => (value.length > maxName ? `${value.slice(0, maxName - 1)}…` : value)
