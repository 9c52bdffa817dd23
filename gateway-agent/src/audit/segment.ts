/*
 * One file of the audit queue: a run of events without a gap.
 *
 *   "MCPGAUD1" · first number (u64) · hash before it (32 bytes), then per event: length (u32) · bytes
 *
 * hash(n) = SHA-256(hash(n-1) ‖ bytes of event n), as `AuditBatch` of docs/protocol.md has it. The end may be torn by a crash: whatever
 * is not whole there was never sent, since nothing leaves before it is on disk.
 */
import { hash } from 'node:crypto'

const magic = Buffer.from('MCPGAUD1')
export const headBytes = magic.length + 8 + 32
/** More in one event is a broken file. */
export const maxEventBytes = 64 * 1024

export type Segment = {
  path: string
  first: number
  /** How many are in the file. */
  count: number
  /** Size of the file. */
  bytes: number
  /** Hash before the first event. */
  before: Uint8Array<ArrayBuffer>
}

export const nameOf = (first: number): string => `${String(first).padStart(16, '0')}.audit`
export const firstOf = (name: string): number | null => (/^\d{16}\.audit$/.test(name) ? Number.parseInt(name, 10) : null)

export function headOf(first: number, before: Uint8Array): Buffer {
  const number = Buffer.alloc(8)
  number.writeBigUInt64BE(BigInt(first))
  return Buffer.concat([magic, number, before.length === 32 ? before : Buffer.alloc(32)])
}

export function readHead(file: Buffer): { first: number; before: Uint8Array<ArrayBuffer> } | null {
  if (file.length < headBytes || !file.subarray(0, magic.length).equals(magic)) return null
  return { first: Number(file.readBigUInt64BE(magic.length)), before: new Uint8Array(file.subarray(magic.length + 8, headBytes)) }
}

/** The events as they stand in the file. */
export function recordsOf(events: readonly Uint8Array[]): Buffer {
  const records = Buffer.allocUnsafe(events.reduce((bytes, { length }) => bytes + 4 + length, 0))
  let at = 0
  for (const event of events) {
    at = records.writeUInt32BE(event.length, at)
    records.set(event, at)
    at += event.length
  }
  return records
}

/** Whole events from `offset` on, at most `most`, and where the next one begins. */
export function readEvents(file: Buffer, offset: number, most: number): { events: Uint8Array<ArrayBuffer>[]; end: number } {
  const events: Uint8Array<ArrayBuffer>[] = []
  let at = offset
  while (events.length < most && at + 4 <= file.length) {
    const length = file.readUInt32BE(at)
    if (length > maxEventBytes || at + 4 + length > file.length) break
    events.push(new Uint8Array(file.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return { events, end: at }
}

/** Both parts in one place for every link: it is made for every call. */
const joined = Buffer.alloc(32 + maxEventBytes)

export function linked(before: Uint8Array, event: Uint8Array): Uint8Array<ArrayBuffer> {
  joined.set(before)
  joined.set(event, before.length)
  return hash('sha256', joined.subarray(0, before.length + event.length), 'buffer')
}
