import { mkdir, open, readdir, readFile, rm, truncate, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { firstOf, headBytes, headOf, linked, maxEventBytes, nameOf, readEvents, readHead, recordsOf, type Segment } from './segment.ts'
import { bytesOf, type Witnessed } from './witnessed.ts'

/** Events from `first` on, and the hash before them. */
export type Batch = { first: number; before: Uint8Array<ArrayBuffer>; events: Uint8Array<ArrayBuffer>[]; dropped: number }

export type AuditQueue = ReturnType<typeof auditQueue>

export const defaultLimits = {
  /** On disk: about a quarter of a million calls. */
  diskBytes: 64 * 1024 * 1024,
  segmentBytes: 1024 * 1024,
  /** Waiting for the disk. */
  memoryBytes: 8 * 1024 * 1024,
  /** On disk, and kept at hand until the control plane has it: what goes out in the same second is not read again. */
  recentBytes: 1024 * 1024,
  /** Seen, and not yet an event. */
  waiting: 10_000,
}

/** From an event to the disk; what a crash may cost. */
const writeDelayMs = 100
const retryMs = 5_000
/** Events made or linked in one turn, so that calls are not held up: less than half a millisecond. */
const perTurn = 32

type Numbered = { seq: number; before: Uint8Array<ArrayBuffer>; event: Uint8Array<ArrayBuffer> }

/**
 * What this gateway saw, numbered from 1 and linked at this edge, on disk until the control plane has it. Bounded: the oldest are dropped,
 * each leaves a hole in the numbers and is counted. `record` does nothing but remember; everything else happens after the call.
 */
export function auditQueue({
  folder,
  clock,
  log,
  limits = defaultLimits,
}: {
  /** Of this identity: a new one begins at 1. */
  folder: string
  clock: Clock
  log: Pick<Log, 'warn'>
  limits?: typeof defaultLimits
}) {
  const droppedFile = join(folder, 'dropped')
  const listeners = new Set<() => void>()
  const segments: Segment[] = []
  let seen: Witnessed[] = []
  let isScheduled = false
  let unnumbered = 0 // dropped before they had a number
  let next = 1
  let hash: Uint8Array<ArrayBuffer> = new Uint8Array(32)
  let toWrite: Numbered[] = []
  let toWriteBytes = 0
  let recent: Numbered[] = []
  let recentBytes = 0
  let dropped = 0
  let acknowledged = 0
  let file: FileHandle | null = null
  let isSynced = true
  let cancelWrite: (() => void) | null = null
  let writing: Promise<void> = Promise.resolve()
  let cursor: { path: string; offset: number; seq: number; hash: Uint8Array<ArrayBuffer> } | null = null
  const part: Part = { name: 'audit queue', start, stop }
  return {
    part,
    record,
    take,
    acknowledge,
    onWritten,
    figures: () => ({ waiting: next - 1 - acknowledged, dropped: dropped + unnumbered }),
  }

  function record(what: Witnessed): void {
    seen.push(what)
    if (seen.length > limits.waiting) {
      seen.shift()
      unnumbered++
    }
    if (isScheduled) return
    isScheduled = true
    setImmediate(number)
  }

  /** Gives numbers, a few a turn. */
  function number(): void {
    isScheduled = false
    for (const what of seen.splice(0, perTurn)) {
      skipUnnumbered()
      const event = made(what)
      if (!event) continue
      toWrite.push({ seq: next++, before: hash, event })
      hash = linked(hash, event)
      toWriteBytes += event.length
    }
    while (toWriteBytes > limits.memoryBytes) {
      toWriteBytes -= toWrite.shift()!.event.length
      dropped++
    }
    if (seen.length > 0) {
      isScheduled = true
      setImmediate(number)
    }
    cancelWrite ??= clock.after(writeDelayMs, () => void write())
  }

  /** What cannot be made is told and left out: no event is worth a gateway. */
  function made(what: Witnessed): Uint8Array<ArrayBuffer> | null {
    try {
      const event = bytesOf(what)
      if (event.length > maxEventBytes) throw new RangeError(`the event has ${event.length} bytes`)
      return event
    } catch (error) {
      log.warn({ err: error, server: what.server }, 'an audit event could not be made')
      unnumbered++
      return null
    }
  }

  function skipUnnumbered(): void {
    next += unnumbered
    dropped += unnumbered
    unnumbered = 0
  }

  function write(): Promise<void> {
    cancelWrite?.()
    cancelWrite = null
    writing = writing.then(writeAll)
    return writing
  }

  async function writeAll(): Promise<void> {
    if (toWrite.length === 0) return
    const events = toWrite
    const bytes = toWriteBytes
    toWrite = []
    toWriteBytes = 0
    const droppedBefore = dropped
    try {
      for (const run of runsOf(events)) await writeRun(run)
      keepAtHand(events, bytes)
      await makeRoom()
      if (dropped !== droppedBefore || dropped > 0) await writeFileAtomic(droppedFile, String(dropped))
      for (const listener of listeners) listener()
    } catch (error) {
      log.warn({ err: error, folder }, 'audit events cannot be written to disk; trying again')
      await file?.close().catch(() => {})
      file = null
      const kept = events.filter(({ seq }) => seq > lastWritten())
      toWrite = [...kept, ...toWrite]
      toWriteBytes += bytes
      cancelWrite ??= clock.after(retryMs, () => void write())
    }
  }

  async function writeRun(run: Numbered[]): Promise<void> {
    const [head] = run
    let segment = segments.at(-1)
    if (!file || !segment || segment.first + segment.count !== head!.seq || segment.bytes >= limits.segmentBytes)
      segment = await begin(head!)
    const records = recordsOf(run.map(({ event }) => event))
    await file!.write(records, 0, records.length, segment.bytes)
    segment.bytes += records.length
    segment.count += run.length
    isSynced = false
  }

  async function begin({ seq, before }: Numbered): Promise<Segment> {
    await file?.close()
    file = null
    const path = join(folder, nameOf(seq))
    const opened = await open(path, 'w', 0o600)
    await opened.write(headOf(seq, before), 0, headBytes, 0)
    file = opened
    const segment = { path, first: seq, count: 0, bytes: headBytes, before }
    segments.push(segment)
    return segment
  }

  function keepAtHand(events: Numbered[], bytes: number): void {
    recent.push(...events)
    recentBytes += bytes
    let first = 0
    while (recentBytes > limits.recentBytes) recentBytes -= recent[first++]!.event.length
    recent.splice(0, first)
  }

  async function makeRoom(): Promise<void> {
    const size = () => segments.reduce((sum, { bytes }) => sum + bytes, 0)
    while (segments.length > 1 && size() > limits.diskBytes) {
      const oldest = segments.shift()!
      dropped += Math.max(0, oldest.first + oldest.count - 1 - Math.max(acknowledged, oldest.first - 1))
      await rm(oldest.path, { force: true })
    }
  }

  function lastWritten(): number {
    const last = segments.at(-1)
    return last ? last.first + last.count - 1 : 0
  }

  /** The oldest that are not acknowledged, in one run; null for none. They are on disk, whatever happens to this machine. */
  async function take(most: number): Promise<Batch | null> {
    const segment = segments.find(({ first, count }) => first + count - 1 > acknowledged)
    if (!segment) return null
    try {
      return await takeFrom(segment, most)
    } catch (error) {
      // It was dropped for want of room while it was read; the next one is the oldest now.
      if (segments.includes(segment)) throw error
      return take(most)
    }
  }

  async function takeFrom(segment: Segment, most: number): Promise<Batch | null> {
    if (!isSynced) {
      isSynced = true
      await file?.datasync()
    }
    const wanted = Math.max(acknowledged + 1, segment.first)
    const batch = atHand(wanted, most) ?? (await fromDisk(segment, wanted, most))
    return batch && { first: wanted, ...batch, dropped }
  }

  /** From `wanted` on, up to the next hole. */
  function atHand(wanted: number, most: number): Pick<Batch, 'before' | 'events'> | null {
    const from = recent.findIndex(({ seq }) => seq === wanted)
    if (from === -1) return null
    const events: Batch['events'] = []
    while (events.length < most && recent[from + events.length]?.seq === wanted + events.length)
      events.push(recent[from + events.length]!.event)
    return { before: recent[from]!.before, events }
  }

  async function fromDisk(segment: Segment, wanted: number, most: number): Promise<Pick<Batch, 'before' | 'events'> | null> {
    const start = cursor?.path === segment.path && cursor.seq === wanted ? cursor : await seek(segment, wanted)
    const { events, end } = readEvents(await readPart(segment, start.offset), 0, Math.min(most, segment.first + segment.count - wanted))
    if (events.length === 0) return null
    cursor = { path: segment.path, offset: start.offset + end, seq: wanted + events.length, hash: await linkedAll(start.hash, events) }
    return { before: start.hash, events }
  }

  async function seek(segment: Segment, wanted: number) {
    const { events, end } = readEvents(await readFile(segment.path), headBytes, wanted - segment.first)
    return { offset: end, hash: await linkedAll(segment.before, events) }
  }

  async function readPart({ path, bytes }: Segment, offset: number): Promise<Buffer> {
    const reading = await open(path, 'r')
    try {
      const buffer = Buffer.alloc(Math.min(bytes - offset, 512 * 1024))
      const { bytesRead } = await reading.read(buffer, 0, buffer.length, offset)
      return buffer.subarray(0, bytesRead)
    } finally {
      await reading.close()
    }
  }

  /** The control plane has everything up to here. */
  async function acknowledge(through: number): Promise<void> {
    // It knows more than we do: this state dir is a copy of an older one. What comes next gets numbers that were never used.
    if (through >= next) {
      log.warn({ through, next }, 'the control plane has audit events that this state dir does not know of')
      next = through + 1
    }
    acknowledged = Math.max(acknowledged, through)
    while (recent.length > 0 && recent[0]!.seq <= acknowledged) recentBytes -= recent.shift()!.event.length
    while (segments.length > 1 && segments[0]!.first + segments[0]!.count - 1 <= acknowledged)
      await rm(segments.shift()!.path, { force: true }).catch(() => {})
  }

  /** New events are on disk. */
  function onWritten(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  async function start(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    dropped = Number(await readFile(droppedFile, 'utf8').catch(() => '0')) || 0
    const names = (await readdir(folder)).filter((name) => firstOf(name) !== null).sort()
    for (const name of names) {
      const path = join(folder, name)
      const content = await readFile(path)
      const head = readHead(content)
      if (!head) {
        await rm(path, { force: true })
        continue
      }
      const { events, end } = readEvents(content, headBytes, Number.MAX_SAFE_INTEGER)
      if (end < content.length) await truncate(path, end)
      segments.push({ path, count: events.length, bytes: end, ...head })
      next = head.first + events.length
      if (name === names.at(-1)) hash = await linkedAll(head.before, events)
    }
    acknowledged = (segments[0]?.first ?? 1) - 1
  }

  async function stop(): Promise<void> {
    while (seen.length > 0) number()
    await write()
    cancelWrite?.()
    cancelWrite = null
    await file?.close()
    file = null
  }
}

/** The hash after the last, a few links a turn. */
async function linkedAll(before: Uint8Array<ArrayBuffer>, events: Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  let after = before
  for (const [index, event] of events.entries()) {
    if (index % perTurn === perTurn - 1) await turn()
    after = linked(after, event)
  }
  return after
}

/** Cut where a number is missing. */
function runsOf(events: Numbered[]): Numbered[][] {
  const runs: Numbered[][] = []
  for (const one of events) {
    const last = runs.at(-1)
    if (last && last.at(-1)!.seq + 1 === one.seq) last.push(one)
    else runs.push([one])
  }
  return runs
}
