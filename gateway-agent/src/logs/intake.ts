import type { Readable } from 'node:stream'
import type { Clock } from '@mcpg/core/clock'
import { maxLogLineBytes } from '@mcpg/proto/log-credit'

/** What is kept of a server's output in a second; more is read, counted and thrown away, so that no pipe holds the server up. */
const keptBytesPerSecond = 1024 * 1024
/** What all servers together are read in a tenth of a second. Beyond it pipes hold writers up: calls of others come first. */
const readBytesPerSlice = 8 * 1024 * 1024
const sliceMs = 100
const newline = 10
const cut = ' … (cut)'

/** One allowance for all servers of an agent. */
export type ReadBudget = { take(bytes: number): number }

/** `take` answers how many milliseconds to pause for, 0 mostly. */
export function readBudget(clock: Pick<Clock, 'monotonic'>): ReadBudget {
  let slice = 0
  let used = 0
  return {
    take(bytes) {
      const now = clock.monotonic()
      if (now - slice >= sliceMs) {
        slice = now
        used = 0
      }
      used += bytes
      return used <= readBytesPerSlice ? 0 : slice + sliceMs - now
    },
  }
}

/**
 * Lines of a pipe, each at most 16 KiB, for as long as the pipe lasts. Bytes are only decoded where a line is kept: a server that
 * prints 50 MB a second costs the search for its line ends. `onLost` tells how many lines were not kept, before the next one that is, or
 * after a second of silence.
 */
export function readLines(
  stream: Readable,
  { onLine, onLost, budget, clock }: { onLine: (line: string) => void; onLost: (lines: number) => void; budget: ReadBudget; clock: Clock },
): void {
  let held: Buffer[] = []
  let heldBytes = 0
  let since = clock.monotonic()
  let kept = 0
  let lost = 0
  /** In the middle of a line that is not kept. */
  let isLosing = false
  let cancel = () => {}
  stream.on('data', (chunk: Buffer) => {
    const pauseMs = budget.take(chunk.length)
    if (pauseMs > 0) {
      stream.pause()
      clock.after(pauseMs, () => stream.resume())
    }
    if (isAllowed(chunk.length)) keep(chunk)
    else lose(chunk)
  })
  stream.once('end', end)
  stream.once('close', end)

  function isAllowed(bytes: number): boolean {
    const now = clock.monotonic()
    if (now - since >= 1_000) {
      since = now
      kept = 0
    }
    // The rest of a chunk is as good as lost too: a line more or less does not matter, a second look at each does.
    if (kept >= keptBytesPerSecond) return false
    kept += bytes
    return true
  }

  function keep(chunk: Buffer): void {
    let start = 0
    if (isLosing) {
      const end = chunk.indexOf(newline)
      if (end < 0) return
      lost++
      isLosing = false
      start = end + 1
    }
    tellLost()
    for (let end = chunk.indexOf(newline, start); end >= 0; end = chunk.indexOf(newline, start)) {
      finish(chunk.subarray(start, end))
      start = end + 1
    }
    hold(chunk.subarray(start))
  }

  /** Only what a line may have: the rest of a longer one is dropped, and it says so. */
  function hold(piece: Buffer): void {
    if (piece.length === 0 || heldBytes > maxLogLineBytes) return
    // A copy: what is left of a chunk must not keep all of it.
    held.push(Buffer.from(piece))
    heldBytes += piece.length
  }

  function finish(piece: Buffer): void {
    const isLong = heldBytes + piece.length > maxLogLineBytes
    const bytes = held.length === 0 ? piece : Buffer.concat([...held, piece])
    held = []
    heldBytes = 0
    const line = isLong ? `${textOf(bytes.subarray(0, maxLogLineBytes - Buffer.byteLength(cut)))}${cut}` : textOf(bytes)
    if (line !== '') onLine(line)
  }

  function lose(chunk: Buffer): void {
    held = []
    heldBytes = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, end + 1)) lost++
    isLosing = chunk.at(-1) !== newline
    cancel()
    cancel = clock.after(1_000, tellLost)
  }

  function tellLost(): void {
    cancel()
    if (lost === 0) return
    const count = lost
    lost = 0
    onLost(count)
  }

  function end(): void {
    tellLost()
    if (heldBytes > 0) finish(Buffer.alloc(0))
  }
}

/** Without the carriage return, and without a character that a cut went through. */
function textOf(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/\r$/, '').replace(/�$/, '')
}
