import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import canonicalize from 'canonicalize'
import { hash, randomUUID } from 'node:crypto'
import type { AuditLevel, SecretReference } from '@mcpg/proto/gateway-config'
import { AuditOutcome, type AuditKind } from '@mcpg/proto/gen/delivery'

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
 * field by field, as `AuditEvent` of delivery.proto has them: it is made for every call, and a message in between costs three times as much.
 */
export function bytesOf(seen: Witnessed): Uint8Array<ArrayBuffer> {
  const { atMs, kind, level, outcome, reason, durationMs, requestBytes, resultBytes, args, project, server, traceparent } = seen
  if (!Number.isFinite(atMs) || !Number.isFinite(durationMs)) throw new TypeError('a time of the event is no number')
  const name = level === 'hash-only' ? hashed : cut
  const writer = new BinaryWriter()
  span(writer, 1, atMs)
  whole(writer, 2, kind)
  text(writer, 3, seen.requestId === '' ? randomUUID() : cut(seen.requestId))
  text(writer, 5, seen.sessionId === '' ? '' : sha256Hex(seen.sessionId).slice(0, 32))
  text(writer, 6, name(seen.subject))
  text(writer, 7, name(seen.tokenId))
  // Who it was is what the gateway has checked, or nothing at all.
  whole(writer, 8, seen.subject === '' ? 0 : 1)
  text(writer, 9, name(seen.client))
  text(writer, 10, cut(project))
  text(writer, 11, server)
  text(writer, 12, name(seen.target))
  text(writer, 13, seen.instance)
  whole(writer, 14, outcome)
  text(writer, 15, reason)
  span(writer, 16, durationMs)
  whole(writer, 17, requestBytes)
  whole(writer, 18, resultBytes)
  const isHashed = args !== undefined && requestBytes > 0 && requestBytes <= maxHashedBytes
  if (isHashed) writer.tag(19, WireType.LengthDelimited).bytes(hash('sha256', canonicalize(args) ?? '', 'buffer'))
  text(writer, 20, cut(traceparent))
  if (args !== undefined && !isHashed) whole(writer, 22, 1)
  if (seen.more) more(writer, seen.more, name)
  return writer.finish()
}

/** A Timestamp or a Duration, to the millisecond. */
function span(writer: BinaryWriter, field: number, ms: number): void {
  const total = Math.max(0, Math.round(ms))
  writer.tag(field, WireType.LengthDelimited).fork()
  whole(writer, 1, Math.floor(total / 1000))
  whole(writer, 2, (total % 1000) * 1_000_000)
  writer.join()
}

function more(writer: BinaryWriter, about: More, name: (value: string) => string): void {
  if ('impersonator' in about) text(writer, 26, name(about.impersonator))
  if ('source' in about) text(writer, 21, about.source)
  if ('secrets' in about) for (const one of about.secrets) secret(writer, one)
  if (!('config' in about)) return
  whole(writer, 24, about.config.generation)
  writer.tag(25, WireType.LengthDelimited).bytes(Buffer.from(about.config.hash, 'hex'))
}

function secret(writer: BinaryWriter, { name, key, version }: SecretReference): void {
  writer.tag(23, WireType.LengthDelimited).fork()
  text(writer, 1, name)
  text(writer, 2, key)
  whole(writer, 3, version)
  writer.join()
}

/** Fields that say nothing are left out, as proto3 has it. Sizes and times are far below 2³². */
function whole(writer: BinaryWriter, field: number, value: number): void {
  if (value > 0) writer.tag(field, WireType.Varint).uint32(value)
}

function text(writer: BinaryWriter, field: number, value: string): void {
  if (value !== '') writer.tag(field, WireType.LengthDelimited).string(value)
}

const sha256Hex = (value: string): string => hash('sha256', value)
const hashed = (value: string): string => (value === '' ? '' : `sha256:${sha256Hex(value)}`)
const cut = (value: string): string => (value.length > maxName ? `${value.slice(0, maxName - 1)}…` : value)
