import type { LogEntry } from '@mcpg/proto/rest/logs'

export type Level = 'error' | 'warn' | 'debug' | 'plain'

/** A line of a log as it is shown; a `mark` is something the log itself says: lines missing, a gateway gone, the end. */
export type LogLine = { id: number; time: string; source: string; level: Level; text: string; from: string; kind: 'line' | 'mark' }

/** Lines in order. A full chunk never changes again, so that nothing draws it twice. */
export type LogChunk = { id: number; lines: readonly LogLine[] }

export type LogSnapshot = { chunks: readonly LogChunk[]; received: number; evicted: number }

const chunkLines = 100

/** Keeps the newest lines and forgets the oldest by whole chunks, so that an open page never grows. */
export function logBuffer({ maxLines = 5_000, maxChars = 8_000_000 }: { maxLines?: number; maxChars?: number } = {}) {
  let chunks: readonly LogChunk[] = []
  let lastId = 0
  let held = 0
  let chars = 0
  let evicted = 0

  return { push, snapshot, clear }

  function push(entries: readonly LogLine[]): void {
    for (const entry of entries) {
      const line = { ...entry, id: ++lastId }
      const last = chunks.at(-1)
      chunks =
        last && last.lines.length < chunkLines
          ? [...chunks.slice(0, -1), { id: last.id, lines: [...last.lines, line] }]
          : [...chunks, { id: line.id, lines: [line] }]
      held++
      chars += line.text.length
    }
    while (chunks.length > 1 && (held > maxLines || chars > maxChars)) forgetOldest()
  }

  function forgetOldest(): void {
    const [oldest, ...others] = chunks
    chunks = others
    held -= oldest!.lines.length
    evicted += oldest!.lines.length
    chars -= oldest!.lines.reduce((sum, line) => sum + line.text.length, 0)
  }

  function snapshot(): LogSnapshot {
    return { chunks, received: lastId, evicted }
  }

  function clear(): void {
    chunks = []
    held = chars = evicted = 0
  }
}

/** What an entry of the API looks like in the list. */
export function lineOf(entry: LogEntry): LogLine {
  const from =
    'gateway' in entry && entry.gateway ? [entry.gateway, 'instance' in entry ? entry.instance : ''].filter(Boolean).join(' ') : ''
  const mark = (text: string, level: Level): LogLine => ({ id: 0, time: '', source: '', level, text, from, kind: 'mark' })
  switch (entry.type) {
    case 'log':
      return { id: 0, time: entry.time, source: entry.source, level: levelOf(entry.text), text: entry.text, from, kind: 'line' }
    case 'dropped':
      return mark(`${entry.lines} ${entry.lines === 1 ? 'line' : 'lines'} dropped`, 'warn')
    case 'gateway':
      return { ...mark(entry.message || `It is ${entry.state}`, entry.state === 'online' ? 'plain' : 'warn'), from: entry.gateway }
    case 'error':
      return mark(entry.message, 'error')
    case 'end':
      return mark('It has ended', 'plain')
  }
}

/** Nothing in a log has to say its level; where it does in a usual way, it is seen. Only the beginning of a long line is looked at. */
export function levelOf(text: string): Level {
  const head = text.slice(0, 400)
  const json = /"level"\s*:\s*"?(\w+)/i.exec(head)?.[1]
  const word = json ?? /(?:^|[\s[(|])(fatal|panic|critical|error|err|warning|warn|debug|trace)(?=$|[\s:\])|=])/i.exec(head)?.[1] ?? ''
  return levels[word.toLowerCase()] ?? 'plain'
}

const levels: Record<string, Level> = {
  fatal: 'error',
  panic: 'error',
  critical: 'error',
  error: 'error',
  err: 'error',
  '60': 'error',
  '50': 'error',
  warning: 'warn',
  warn: 'warn',
  '40': 'warn',
  debug: 'debug',
  trace: 'debug',
  '20': 'debug',
  '10': 'debug',
}

/** A line as a file has it. */
export const plainText = ({ time, source, from, text, kind }: LogLine) =>
  kind === 'mark' ? `--- ${[from, text].filter(Boolean).join(': ')}` : [time, from, source, text].filter(Boolean).join(' ')
