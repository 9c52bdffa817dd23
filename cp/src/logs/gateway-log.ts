import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt'
import { resumedLines } from '@mcpg/core/resumed-lines'
import { LogSource as WireSource, type LogChunk } from '@mcpg/proto/gen/delivery'
import type { LogEntry, LogSource } from '@mcpg/proto/rest/logs'
import type { Evidence } from '../config/failing.ts'
import type { Line } from '../link/service.ts'
import type { LogStreams, LogWish } from './log-streams.ts'

/** Why a gateway does not run the server, as lines; the last ones of the server too where its log cannot be read now. */
export function refusal(
  { gateway, server, heldBack }: Source,
  { tail, since, previous }: Wanted,
  isThere: boolean,
): AsyncGenerator<LogEntry[]>[] {
  if (!heldBack || tail === 0 || (since !== undefined && Date.parse(heldBack.since) < since)) return []
  const { reason, message, evidence } = heldBack
  const at = { type: 'log', time: heldBack.since, gateway } as const
  const last = isThere || previous ? [] : (evidence.lastLogLines ?? []).map((text): LogEntry => ({ ...at, source: 'stderr', text }))
  const said: LogEntry = { ...at, source: 'agent', text: `${server} is held back here: ${message || reason}` }
  return [once([...last, said])]
}

async function* once(entries: LogEntry[]): AsyncGenerator<LogEntry[]> {
  yield entries
}

/** A `uint32` is the most that a tail can ask for. */
const everything = 0xffff_ffff

export type Wanted = {
  tail: number | 'all'
  /** Wall time in milliseconds. */
  since: number | undefined
  previous: boolean
  follow: boolean
}

/** Streams of gateways: the open one, or the next one, which `signal` gives up waiting for. */
export type Lines = { now(gatewayId: string): Line | null; next(gatewayId: string, signal: AbortSignal): Promise<Line | null> }

/** What a gateway told when it refused a server; `since` in RFC 3339. */
export type HeldBack = { reason: string; message: string; since: string; evidence: Evidence }
export type Source = { gatewayId: string; gateway: string; server: string; instanceId: string; heldBack?: HeldBack }

/**
 * One log of one gateway. Followed, it outlives the stream of its gateway: what was written in between is read when the gateway is back,
 * from the last line on, and no line comes twice.
 */
export async function* gatewayLog(
  { gatewayId, gateway, server, instanceId }: Source,
  { tail, since, previous, follow }: Wanted,
  { streams, lines, signal }: { streams: LogStreams; lines: Lines; signal: AbortSignal },
): AsyncGenerator<LogEntry[]> {
  const wish: LogWish = {
    server,
    instanceId,
    tailLines: tail === 'all' ? everything : tail,
    follow,
    previous,
    ...(since !== undefined && { since: timestampFromMs(since) }),
  }
  const told = resumedLines()
  let line = lines.now(gatewayId)
  if (!line) yield [awayEntry(gateway, follow)]
  for (;;) {
    if (!line) {
      line = follow ? await lines.next(gatewayId, signal) : null
      if (!line) return
      yield [{ type: 'gateway', gateway, state: 'online', message: 'connected' }]
    }
    const { chunks, stop, end } = streams.read(line, wish)
    signal.addEventListener('abort', stop, { once: true })
    try {
      for await (const chunk of chunks) {
        const entries = entriesOf(chunk, gateway).filter(
          (entry) => entry.type !== 'log' || told.isNew(entry.instance ?? '', entry.time, entry.text),
        )
        if (entries.length > 0) yield entries
      }
    } finally {
      signal.removeEventListener('abort', stop)
    }
    const { isGone, error } = end()
    if (error !== '') yield [{ type: 'error', message: error, gateway, ...(instanceId !== '' && { instance: instanceId }) }]
    if (signal.aborted || !isGone) return
    if (!follow) return yield [{ type: 'error', message: 'the gateway went away before it had sent everything', gateway }]
    yield [{ type: 'gateway', gateway, state: 'offline', message: 'not connected; the log goes on when it is back' }]
    const newest = told.resume()
    if (newest !== undefined) Object.assign(wish, { tailLines: everything, since: timestampFromMs(Date.parse(newest)) })
    line = null
  }
}

function awayEntry(gateway: string, isFollowed: boolean): LogEntry {
  return isFollowed
    ? { type: 'gateway', gateway, state: 'offline', message: 'not connected; its log comes when it is back' }
    : { type: 'error', gateway, message: 'not connected; its log is on its machine' }
}

function entriesOf({ lines, dropped }: LogChunk, gateway: string): LogEntry[] {
  const entries = lines.map(({ time, source, text, instanceId }): LogEntry => {
    const at = new Date(time ? timestampMs(time) : 0).toISOString()
    return { type: 'log', time: at, source: sourceOf(source), text, gateway, ...(instanceId !== '' && { instance: instanceId }) }
  })
  return dropped > 0n ? [{ type: 'dropped', lines: Number(dropped), gateway }, ...entries] : entries
}

function sourceOf(source: WireSource): LogSource {
  if (source === WireSource.STDERR) return 'stderr'
  if (source === WireSource.STDOUT) return 'stdout'
  return source === WireSource.MCP ? 'mcp' : 'agent'
}
