import { create } from '@bufbuild/protobuf'
import { randomUUID } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { LogCancelSchema, LogRequestSchema, LogWindowSchema, type LogChunk, type LogRequest } from '@mcpg/proto/gen/delivery'
import { logLineCost, logWindowBytes } from '@mcpg/proto/log-credit'
import type { Line, Talk } from '../link/service.ts'

/** Used-up credit is granted anew in portions, so that a line does not cost a frame. */
const grantBytes = logWindowBytes / 4
/** How long the first chunk of a log that is not followed may take. */
const answerMs = 15_000

export type LogWish = Pick<LogRequest, 'server' | 'instanceId' | 'tailLines' | 'follow' | 'previous' | 'since'>

/** How a stream ended: `gone` with the connection of its gateway, else by the gateway itself, with a reason perhaps. */
export type LogEnd = { isGone: boolean; error: string }

/** `chunks` may be read once; whatever is read is granted anew. Leaving it, or `stop`, cancels the stream at the gateway. */
export type LogReader = { chunks: AsyncGenerator<LogChunk>; stop: () => void; end: () => LogEnd }

type Stream = { take(chunk: LogChunk): void; finish(end: LogEnd): void }

export type LogStreams = ReturnType<typeof logStreams>

/**
 * Log streams over the lines of connected gateways. A gateway may send what it was granted and not a byte more, so what waits for a slow
 * reader is bounded by the window; one that sends more loses the stream.
 */
export function logStreams({ clock, log }: { clock: Clock; log: Log }) {
  const open = new Map<Line, Map<string, Stream>>()
  const talk: Talk = {
    frames: ['logChunk'],
    heard(line, frame) {
      if (frame.case === 'logChunk') open.get(line)?.get(frame.value.streamId)?.take(frame.value)
    },
    closed(line) {
      for (const stream of open.get(line)?.values() ?? []) stream.finish({ isGone: true, error: '' })
      open.delete(line)
    },
  }
  return { talk, read, count: () => [...open.values()].reduce((sum, { size }) => sum + size, 0) }

  function read(line: Line, wish: LogWish): LogReader {
    const streamId = randomUUID()
    const waiting: LogChunk[] = []
    let credit = logWindowBytes
    let toGrant = 0
    let isGranting = false
    let ending: LogEnd | undefined
    let wake = () => {}
    const cancelDeadline = wish.follow
      ? () => {}
      : clock.after(answerMs, () => finish({ isGone: false, error: 'the gateway did not answer in time' }))
    const streams = open.get(line) ?? new Map<string, Stream>()
    open.set(line, streams.set(streamId, { take, finish }))
    const asked = line.pushStream('logs', () => ({
      case: 'logRequest',
      value: create(LogRequestSchema, { ...wish, streamId, windowBytes: logWindowBytes }),
    }))
    if (!asked) finish({ isGone: false, error: 'too much waits for this gateway' })
    return { chunks: chunks(), stop, end: () => ending ?? { isGone: false, error: '' } }

    function take(chunk: LogChunk): void {
      cancelDeadline()
      credit -= costOf(chunk)
      if (credit < 0) {
        log.warn({ gateway: line.gatewayId }, 'a gateway sent more of a log than it was granted')
        cancel()
        return finish({ isGone: false, error: 'the gateway sent more than it was asked for' })
      }
      waiting.push(chunk)
      if (chunk.last) finish({ isGone: false, error: chunk.error })
      wake()
    }

    function finish(end: LogEnd): void {
      cancelDeadline()
      ending ??= end
      streams.delete(streamId)
      wake()
    }

    async function* chunks(): AsyncGenerator<LogChunk> {
      try {
        for (;;) {
          const chunk = waiting.shift()
          if (chunk) {
            yield chunk
            grant(costOf(chunk))
          } else if (ending) return
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        stop()
      }
    }

    function grant(bytes: number): void {
      toGrant += bytes
      if (ending || isGranting || toGrant < grantBytes) return
      // Its frame may leave within the call.
      isGranting = true
      const isTaken = line.pushStream('logs', () => {
        const addBytes = toGrant
        isGranting = false
        toGrant = 0
        credit += addBytes
        return ending ? null : { case: 'logWindow', value: create(LogWindowSchema, { streamId, addBytes }) }
      })
      // Refused only while very many wait; the next chunk that is read asks again.
      if (!isTaken) isGranting = false
    }

    function stop(): void {
      if (ending) return
      cancel()
      finish({ isGone: false, error: '' })
    }

    function cancel(): void {
      if (line.isOpen()) line.push({ case: 'logCancel', value: create(LogCancelSchema, { streamId }) })
    }
  }
}

function costOf({ lines }: LogChunk): number {
  return lines.reduce((sum, { text }) => sum + logLineCost(text), 0)
}
