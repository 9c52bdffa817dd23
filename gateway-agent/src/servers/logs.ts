import type { LineLog } from '@mcpg/core/line-log'
import { redact } from '@mcpg/core/redact'
import { maxLogLineBytes } from '@mcpg/proto/log-credit'
import type { Tell } from '../events/events.ts'

/** What a report carries. */
const reportLines = 20
const reportBytes = 4 * 1024

/** Where the instances of one server write, and what is worth telling about them. */
export type ServerLog = {
  /** For an instance that is about to run, until `close`. */
  open(instanceId: string): LineLog
  close(instanceId: string): void
  tell: Tell
}

/** The lines of one instance; every one has passed `redact` and `hide` before anything keeps it. */
export function instanceLines({
  log,
  hide = (text) => text,
}: {
  log: Pick<LineLog, 'write' | 'lose'>
  /** Takes out the secrets of the server. */
  hide?: (text: string) => string
}) {
  const ring: string[] = []
  return { add, last, lose: log.lose }

  /** `agent`: what is said about the instance instead of by it. */
  function add(source: 'stderr' | 'stdout' | 'agent', raw: string): void {
    const line = redact(hide(raw.length > maxLogLineBytes ? `${raw.slice(0, maxLogLineBytes - 8)} … (cut)` : raw))
    ring.push(line.length > reportBytes / 4 ? `${line.slice(0, reportBytes / 4)} … (cut)` : line)
    if (ring.length > reportLines) ring.shift()
    log.write(source, line)
  }

  /** At most 20 lines and 4 KiB, newest last. */
  function last(): string[] {
    const lines: string[] = []
    let left = reportBytes
    for (const line of ring.toReversed()) {
      left -= Buffer.byteLength(line)
      if (left < 0) break
      lines.unshift(line)
    }
    return lines
  }
}
