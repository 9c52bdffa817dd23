import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { redact } from '@mcpg/core/redact'

const maxFileBytes = 10 * 1024 * 1024
const fileCount = 3
const ringLines = 100
/** What a report carries. */
const reportLines = 20
const reportBytes = 4 * 1024
/** Lines that wait for the disk; beyond them they are dropped and counted. */
const maxWaitingBytes = 4 * 1024 * 1024

/** `<gateway folder>/logs/<server>/0.log` and two older ones; lines of all instances of a server, in order. Holds no open file. */
export function serverLog({
  folder,
  clock,
  log,
  fileBytes = maxFileBytes,
}: {
  folder: string
  clock: Clock
  log: Log
  fileBytes?: number
}) {
  let waiting: string[] = []
  let waitingBytes = 0
  let dropped = 0
  let size: number | undefined
  let writing: Promise<void> | undefined
  let broken = false
  return { write, flushed: () => writing ?? Promise.resolve() }

  function write(instanceId: string, stream: string, line: string): void {
    const text = `${new Date(clock.now()).toISOString()} ${instanceId} ${stream} ${line}\n`
    if (waitingBytes + text.length > maxWaitingBytes) {
      dropped++
      return
    }
    waiting.push(text)
    waitingBytes += text.length
    writing ??= flush().finally(() => (writing = undefined))
  }

  async function flush(): Promise<void> {
    // A turn of the loop gathers the lines of one chunk.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const note = dropped > 0 ? `${new Date(clock.now()).toISOString()} - gateway ${dropped} lines dropped\n` : ''
      const text = waiting.join('') + note
      waiting = []
      waitingBytes = 0
      dropped = 0
      try {
        await append(text)
        broken = false
      } catch (error) {
        // A full disk must not end a server; it is said once.
        if (!broken) log.warn({ err: error, folder }, 'log lines of a server cannot be written')
        broken = true
      }
    }
  }

  async function append(text: string): Promise<void> {
    const path = (index: number) => join(folder, `${index}.log`)
    if (size === undefined) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      size = await stat(path(0)).then(
        (facts) => facts.size,
        () => 0,
      )
    }
    if (size > 0 && size + text.length > fileBytes) {
      for (let index = fileCount - 1; index > 0; index--) await rename(path(index - 1), path(index)).catch(() => {})
      size = 0
    }
    await appendFile(path(0), text, { mode: 0o600 })
    size += Buffer.byteLength(text)
  }
}

export type ServerLog = ReturnType<typeof serverLog>

/** The last lines of one instance; every line has passed `redact` and `hide` before anything keeps it. */
export function instanceLines({
  instanceId,
  sink,
  hide = (text) => text,
}: {
  instanceId: string
  sink: ServerLog
  /** Takes out the secrets of the server. */
  hide?: (text: string) => string
}) {
  const ring: string[] = []
  return { add, last }

  function add(stream: 'stderr' | 'stdout' | 'gateway', raw: string): void {
    const line = redact(hide(raw))
    ring.push(line)
    if (ring.length > ringLines) ring.shift()
    sink.write(instanceId, stream, line)
  }

  /** At most 20 lines and 4 KiB, newest last. */
  function last(): string[] {
    const lines: string[] = []
    let left = reportBytes
    for (const line of ring.slice(-reportLines).reverse()) {
      const cut = line.length > reportBytes / 4 ? `${line.slice(0, reportBytes / 4)} … (cut)` : line
      left -= Buffer.byteLength(cut)
      if (left < 0) break
      lines.unshift(cut)
    }
    return lines
  }
}
