import { create } from '@bufbuild/protobuf'
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt'
import type { Clock } from '@mcpg/core/clock'
import type { Line, LineLog } from '@mcpg/core/line-log'
import { mergeByTime } from '@mcpg/core/merge-by-time'
import { LogChunkSchema, LogLineSchema, LogSource, type LogChunk, type LogLine, type LogRequest } from '@mcpg/proto/gen/delivery'
import { logLineCost, maxLogChunkBytes, maxLogLineBytes } from '@mcpg/proto/log-credit'
import type { Outbox } from './outbox.ts'

/** What one follower may be sent in a second; the history is bounded by its credit alone. */
const followedBytesPerSecond = 1024 * 1024
/** What may wait of lines that are followed. */
const maxLiveBytes = 256 * 1024
/** More of the history is read when less than this waits. */
const lowWater = 32 * 1024

export type Origin = { instanceId: string; log: LineLog; previous?: boolean }

type Item = { instanceId: string; line: Line; cost: number }

export type LogStream = ReturnType<typeof logStream>

/** One log stream: what waits for credit, and where it comes from. `ended` is called once. */
export function logStream({ request, outbox, clock, ended }: { request: LogRequest; outbox: Outbox; clock: Clock; ended: () => void }) {
  const { streamId, tailLines } = request
  // A life that is over has nothing to follow.
  const follow = request.follow && !request.previous
  const since = request.since ? new Date(timestampMs(request.since)).toISOString() : undefined
  const old: Item[] = []
  const live: Item[] = []
  const endings: (() => void)[] = []
  let oldBytes = 0
  let liveBytes = 0
  let second = clock.monotonic()
  let usedInSecond = 0
  let credit = request.windowBytes
  /** Histories that are not read to their end. */
  let reading = 0
  let finished: { error: string } | undefined
  let isOver = false
  let isQueued = false
  let wanted = () => {}
  return { add, join, grant, finish, cancel, onEnd: (run: () => void) => void endings.push(run) }

  /** Reads what there is of these logs in the order of time, then follows them when that was asked for. */
  async function add(origins: Origin[]): Promise<void> {
    reading++
    const opened = await Promise.all(origins.map((origin) => open(origin, tailLines)))
    for await (const items of mergeByTime(opened, ({ line }) => line.at)) {
      if (isOver) return
      old.push(...items)
      for (const { cost } of items) oldBytes += cost
      send()
      while (oldBytes > lowWater && !isOver) await new Promise<void>((resolve) => (wanted = resolve))
    }
    reading--
    if (!follow) finish('')
    else send()
  }

  /** An instance that began while its server is followed. */
  async function join(origin: Origin): Promise<void> {
    for await (const items of await open(origin, Number.MAX_SAFE_INTEGER)) for (const item of items) offer(item)
  }

  async function open({ instanceId, log, previous = false }: Origin, tail: number): Promise<AsyncGenerator<Item[]>> {
    const options = { tail, since, previous, ...(follow && { follow: (line: Line) => offer(itemOf(instanceId, line)) }) }
    const { history, stop } = await log.open(options)
    endings.push(stop)
    if (isOver) stop()
    return items(instanceId, history)
  }

  async function* items(instanceId: string, history: AsyncGenerator<Line[]>): AsyncGenerator<Item[]> {
    for await (const lines of history) {
      if (isOver) return
      yield lines.map((line) => itemOf(instanceId, line))
    }
  }

  /** A line that was just written. Lost ones keep their place: what waits before them was written before them. */
  function offer(item: Item): void {
    if (isOver) return
    const now = clock.monotonic()
    if (now - second >= 1_000) {
      second = now
      usedInSecond = 0
    }
    const fits = liveBytes + item.cost <= maxLiveBytes && usedInSecond + item.cost <= followedBytesPerSecond
    const lost = item.line.lost ?? (fits ? undefined : 1)
    const last = live.at(-1)
    if (lost === undefined) {
      usedInSecond += item.cost
      liveBytes += item.cost
      live.push(item)
    } else if (last?.line.lost !== undefined) last.line = { at: last.line.at, lost: last.line.lost + lost }
    else live.push({ instanceId: item.instanceId, line: { at: item.line.at, lost }, cost: 0 })
    send()
  }

  function grant(bytes: number): void {
    credit = Math.min(credit + bytes, Number.MAX_SAFE_INTEGER)
    send()
  }

  /** Nothing more is added; what is there already is still sent within its credit. */
  function finish(error: string): void {
    finished ??= { error }
    send()
  }

  function cancel(): void {
    if (isOver) return
    isOver = true
    for (const end of endings) end()
    old.length = live.length = 0
    wanted()
    ended()
  }

  function send(): void {
    if (isQueued || isOver || !hasNext()) return
    isQueued = outbox.push('logs', () => {
      isQueued = false
      if (isOver) return null
      const value = chunk()
      if (value.last) cancel()
      else send()
      return { case: 'logChunk', value }
    })
  }

  function next(): Item | undefined {
    return old[0] ?? (reading === 0 ? live[0] : undefined)
  }

  function hasNext(): boolean {
    const item = next()
    return item ? item.cost <= credit : isDone()
  }

  function isDone(): boolean {
    return finished !== undefined && reading === 0
  }

  function shift(): void {
    if (old.length > 0) oldBytes -= old.shift()?.cost ?? 0
    else liveBytes -= live.shift()?.cost ?? 0
    if (oldBytes <= lowWater) wanted()
  }

  /** What was lost is told before the lines that follow it, so a chunk ends where something is missing. */
  function chunk(): LogChunk {
    const lines: LogLine[] = []
    let dropped = 0
    let bytes = 0
    for (let item = next(); item; item = next()) {
      const { line, cost, instanceId } = item
      if (line.lost !== undefined) {
        if (lines.length > 0) break
        dropped += line.lost
      } else {
        if (cost > credit || (lines.length > 0 && bytes + cost > maxLogChunkBytes)) break
        bytes += cost
        credit -= cost
        lines.push(lineOnWire(instanceId, line))
      }
      shift()
    }
    const last = isDone() && next() === undefined
    return create(LogChunkSchema, { streamId, lines, dropped: BigInt(dropped), last, error: last ? (finished?.error ?? '') : '' })
  }
}

/** What a line costs is counted as it is sent, and the other side counts what it gets. */
function itemOf(instanceId: string, line: Line): Item {
  if (line.lost !== undefined) return { instanceId, line, cost: 0 }
  const text = Buffer.byteLength(line.text) <= maxLogLineBytes ? line.text : cutText(line.text)
  return { instanceId, line: { ...line, text }, cost: logLineCost(text) }
}

/** Never in the middle of a character. */
function cutText(text: string): string {
  return `${new TextDecoder().decode(Buffer.from(text).subarray(0, maxLogLineBytes - 8)).replace(/\uFFFD$/, '')} …`
}

const sources: Record<string, LogSource> = {
  stderr: LogSource.STDERR,
  stdout: LogSource.STDOUT,
  mcp: LogSource.MCP,
  agent: LogSource.AGENT,
}

function lineOnWire(instanceId: string, { at, source, text }: { at: string; source: string; text: string }): LogLine {
  const time = timestampFromMs(Date.parse(at))
  return create(LogLineSchema, { time, source: sources[source] ?? LogSource.AGENT, text, instanceId })
}
