import { setTimeout as delay } from 'node:timers/promises'
import { resumedLines } from '@mcpg/core/resumed-lines'
import { McpgError } from '@mcpg/proto/errors'
import { LogEntry } from '@mcpg/proto/rest/logs'
import type { Api } from './client.ts'

export type LogRequest = { path: string; query: Record<string, string | number | boolean | undefined> }

/** Lines of several gateways come as they arrive, so one may be a little older than the newest. */
const overlapMs = 10_000

/** The entries of a log, oldest first. A gateway that is away is told at once: it will not be back while somebody waits here. */
export async function* readLog(api: Api, { path, query }: LogRequest, signal: AbortSignal): AsyncGenerator<LogEntry> {
  const response = await api.open(path, { query, headers: { accept: 'application/x-ndjson' }, signal, retries: 0 })
  for await (const line of linesOf(response)) yield* entryOf(line)
}

/**
 * The entries of a log and what comes after them, until what is followed ends or `signal` aborts. A stream that is cut is asked for
 * again, and no line comes twice.
 */
export async function* followLog(
  api: Api,
  { path, query }: LogRequest,
  signal: AbortSignal,
  say: (line: string) => void,
): AsyncGenerator<LogEntry> {
  const told = resumedLines()
  let wanted = query
  for (let isCut = false; !signal.aborted;) {
    try {
      const response = await api.open(path, { query: { ...wanted, follow: true }, signal, retries: 0 })
      if (isCut) say('connected again')
      isCut = false
      for await (const line of linesOf(response)) {
        for (const entry of line.startsWith('data: ') ? entryOf(line.slice('data: '.length)) : []) {
          if (entry.type === 'end') return
          if (entry.type !== 'log' || told.isNew(`${entry.gateway}/${entry.instance}`, entry.time, entry.text)) yield entry
        }
      }
    } catch (error) {
      if (signal.aborted) return
      // What is refused at first is refused; later the control plane may only be on its way back, and its gateways after it.
      if (error instanceof McpgError && (error.code !== 'unavailable' || (!isCut && told.newest() === undefined))) throw error
    }
    if (signal.aborted) return
    if (!isCut) say('the connection is cut, connecting again')
    isCut = true
    const newest = told.resume()
    if (newest !== undefined) wanted = { ...query, tail: 'all', since: new Date(Date.parse(newest) - overlapMs).toISOString() }
    await delay(250 + Math.random() * 750, undefined, { signal }).catch(() => {})
  }
}

/** Whole lines as they arrive. */
export async function* linesOf({ body }: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

/** An entry of a newer control plane is none of ours. */
function entryOf(text: string): LogEntry[] {
  const parsed = text === '' ? undefined : LogEntry.safeParse(JSON.parse(text))
  return parsed?.success ? [parsed.data] : []
}
