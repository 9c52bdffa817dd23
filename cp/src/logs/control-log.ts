import type { Line, LineLog } from '@mcpg/core/line-log'
import type { LogEntry } from '@mcpg/proto/rest/logs'
import type { Wanted } from './gateway-log.ts'

/** Lines that may wait for a reader; more are counted. */
const maxWaiting = 1_000

/** The log of this process, or of the one before it. */
export async function* controlLog(
  log: LineLog,
  { tail, since, previous, follow }: Wanted,
  signal: AbortSignal,
): AsyncGenerator<LogEntry[]> {
  const waiting: Line[] = []
  let wake = () => {}
  const hear = (line: Line) => {
    const last = waiting.at(-1)
    if (waiting.length < maxWaiting) waiting.push(line)
    else if (last?.lost !== undefined) waiting[waiting.length - 1] = { at: last.at, lost: last.lost + 1 }
    else waiting.push({ at: line.at, lost: 1 })
    wake()
  }
  const { history, stop } = await log.open({
    tail: tail === 'all' ? Infinity : tail,
    since: since === undefined ? undefined : new Date(since).toISOString(),
    previous,
    ...(follow && { follow: hear }),
  })
  const end = () => wake()
  signal.addEventListener('abort', end)
  try {
    for await (const lines of history) yield lines.map(entryOf)
    while (follow && !signal.aborted) {
      if (waiting.length > 0) yield waiting.splice(0).map(entryOf)
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    stop()
    signal.removeEventListener('abort', end)
  }
}

function entryOf(line: Line): LogEntry {
  if (line.lost !== undefined) return { type: 'dropped', lines: line.lost }
  return { type: 'log', time: line.at, source: 'control-plane', text: line.text }
}
