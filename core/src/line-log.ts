/*
 * A log of lines on disk, bounded and readable while it is written: three files of 10 MiB. Lines are gathered in memory for a turn of
 * the event loop and appended together; no file stays open. What comes faster than the disk takes it is counted as lost, and so is what
 * a writer says it lost itself.
 *
 * A life is one run of whatever writes. Of lives before the present one only the previous is kept, and of that the newest file at least:
 * why something ended is read after it was started again.
 */
import { appendFile, mkdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from './clock.ts'
import { fileName, listLineFiles, readLines, type LineFile } from './line-files.ts'
import { writeRecord, type Line } from './line-record.ts'

export type { Line } from './line-record.ts'

const maxFileBytes = 10 * 1024 * 1024
const maxFiles = 3
/** Lines that wait for the disk; beyond them they are lost and counted. */
const maxWaitingBytes = 4 * 1024 * 1024

export type ReadOptions = {
  /** Last lines to begin with. */
  tail: number
  /** Nothing older; RFC 3339 in UTC with milliseconds. */
  since?: string | undefined
  /** The life before the present one. */
  previous?: boolean
  /** Called with every line that comes after those of `history`, until `stop`. */
  follow?: (line: Line) => void
}

/** `begun` is the life, counted from the start of this writer. */
type Waiting = { begun: number; line: Line; bytes: number }

export type LineLog = ReturnType<typeof lineLog>

export function lineLog({
  folder,
  clock,
  onTrouble = () => {},
  fileBytes = maxFileBytes,
}: {
  folder: string
  clock: Clock
  /** The disk refuses lines; told once until it takes them again. */
  onTrouble?: (error: unknown) => void
  fileBytes?: number
}) {
  let files: LineFile[] = []
  /** The last life that lay there at the start, and how many have begun since. */
  let base = 0
  let begun = 0
  let waiting: Waiting[] = []
  /** On their way to the disk. */
  let flying: Waiting[] = []
  let waitingBytes = 0
  let writing: Promise<void> | undefined
  let isTroubled = false
  const followers = new Set<(line: Line) => void>()
  let scanned: Promise<void> | undefined
  return { begin, write, lose, open, hasPrevious, flushed }

  /** What is written from here on belongs to another life; without it the last one goes on. */
  function begin(): void {
    begun++
  }

  /** The text is one line that has passed `redact`; line ends in it become spaces. */
  function write(source: string, text: string): void {
    put({ at: now(), source, text: /[\r\n]/.test(text) ? text.replace(/\s*[\r\n]+\s*/g, ' ') : text })
  }

  /** So many lines were not even read. */
  function lose(count: number): void {
    if (count > 0) put({ at: now(), lost: count })
  }

  function put(line: Line): void {
    const last = waiting.at(-1)
    const isFull = waitingBytes > maxWaitingBytes
    const lost = isFull ? (line.lost ?? 1) : line.lost
    if (lost !== undefined && last?.line.lost !== undefined && last.begun === begun)
      last.line = { at: last.line.at, lost: last.line.lost + lost }
    else {
      const kept = lost === undefined ? line : { at: line.at, lost }
      const bytes = kept.lost === undefined ? kept.text.length + 64 : 64
      waiting.push({ begun, line: kept, bytes })
      waitingBytes += bytes
    }
    for (const follower of followers) follower(line)
    writing ??= flush().finally(() => (writing = undefined))
  }

  async function flush(): Promise<void> {
    await scan()
    while (waiting.length > 0) {
      // A turn of the loop gathers the lines of one chunk.
      await new Promise((resolve) => setImmediate(resolve))
      flying = waiting
      waiting = []
      waitingBytes = 0
      try {
        for (const batch of byLife(flying)) await append(base + batch[0]!.begun, batch.map(({ line }) => writeRecord(line)).join(''))
        isTroubled = false
      } catch (error) {
        // A full disk must not end whoever logs.
        if (!isTroubled) onTrouble(error)
        isTroubled = true
      }
      flying = []
    }
  }

  function scan(): Promise<void> {
    return (scanned ??= listLineFiles(folder).then((found) => {
      files = found
      base = found.at(-1)?.life ?? 0
    }))
  }

  async function append(of: number, text: string): Promise<void> {
    const bytes = Buffer.from(text)
    let file = files.at(-1)
    if (!file) await mkdir(folder, { recursive: true, mode: 0o700 })
    if (!file || file.life !== of || (file.size > 0 && file.size + bytes.length > fileBytes)) {
      file = { life: of, part: file?.life === of ? file.part + 1 : 0, size: 0 }
      files.push(file)
      await makeRoom()
    }
    await appendFile(join(folder, fileName(file)), bytes, { mode: 0o600 })
    file.size += bytes.length
  }

  /** Lives before the previous one go, then the oldest files, but not the newest of the previous life. */
  async function makeRoom(): Promise<void> {
    const current = files.at(-1)?.life ?? 0
    const previous = files.findLast((file) => file.life < current)
    for (const file of Array.from(files)) {
      const isOld = previous !== undefined && file.life < previous.life
      if (!isOld && (files.length <= maxFiles || file === previous)) continue
      files.splice(files.indexOf(file), 1)
      await unlink(join(folder, fileName(file))).catch(() => {})
    }
  }

  /**
   * Lines as they are asked for: everything up to this moment as `history`, what follows through `follow`, none of them twice. `stop`
   * ends the following; the history ends by itself or with its generator.
   */
  async function open({
    tail,
    since,
    previous = false,
    follow,
  }: ReadOptions): Promise<{ history: AsyncGenerator<Line[]>; stop: () => void }> {
    await scan()
    const of = previous ? (files.findLast((file) => file.life < base + begun)?.life ?? -1) : base + begun
    // From here to the subscription nothing may be awaited.
    const memory = [...flying, ...waiting].filter((one) => base + one.begun === of).map(({ line }) => line)
    const parts = files.filter((file) => file.life === of).map((file) => ({ ...file }))
    if (follow && !previous) followers.add(follow)
    return { history: history(parts, memory, tail, since), stop: () => void (follow && followers.delete(follow)) }
  }

  async function* history(parts: LineFile[], memory: Line[], tail: number, since: string | undefined): AsyncGenerator<Line[]> {
    const newest = tail > 0 ? memory.slice(-tail) : []
    yield* readLines(folder, parts, { tail: tail - newest.length, since })
    const wanted = since === undefined ? newest : newest.filter((line) => line.at >= since)
    if (wanted.length > 0) yield wanted
  }

  /** Whether there was a life before the present one that is still kept. */
  async function hasPrevious(): Promise<boolean> {
    await scan()
    return files.some((file) => file.life < base + begun)
  }

  function flushed(): Promise<void> {
    return writing ?? Promise.resolve()
  }

  function now(): string {
    return new Date(clock.now()).toISOString()
  }
}

function byLife(lines: Waiting[]): Waiting[][] {
  const batches: Waiting[][] = []
  for (const line of lines) {
    const batch = batches.at(-1)
    if (batch?.[0]?.begun === line.begun) batch.push(line)
    else batches.push([line])
  }
  return batches
}
