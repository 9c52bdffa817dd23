/*
 * Logs that the control plane asked for, over one stream. It grants bytes (`LogRequest.window_bytes`, `LogWindow`); a line is sent only
 * within them, so a reader that stops reading stops its log and nothing else.
 *
 *   history    read from disk as credit allows: nothing of it is lost
 *   following  lines as they are written, at most 1 MiB/s, through a queue of 256 KiB; what does not fit is counted, and told at its
 *              place by `dropped` of the next chunk
 */
import type { Clock } from '@mcpg/core/clock'
import type { LineLog } from '@mcpg/core/line-log'
import type { Log } from '@mcpg/core/log'
import type { LogRequest } from '@mcpg/proto/gen/delivery'
import type { ConnectResponse } from '@mcpg/proto/gen/gateway'
import { Name } from '@mcpg/proto/names'
import type { LogBook } from '../logs/log-book.ts'
import { logStream, type LogStream, type Origin } from './log-stream.ts'
import type { Outbox } from './outbox.ts'

/** Each holds a queue and, while it reads its history, open files. */
const maxStreams = 64

export type LogStreams = ReturnType<typeof logStreams>

export function logStreams({ book, own, outbox, clock, log }: { book: LogBook; own: LineLog; outbox: Outbox; clock: Clock; log: Log }) {
  const streams = new Map<string, LogStream>()
  return { receive, close }

  function receive(frame: ConnectResponse['frame']): void {
    if (frame.case === 'logRequest') open(frame.value)
    else if (frame.case === 'logWindow') streams.get(frame.value.streamId)?.grant(frame.value.addBytes)
    else if (frame.case === 'logCancel') streams.get(frame.value.streamId)?.cancel()
  }

  function open(request: LogRequest): void {
    const { streamId } = request
    // A repeated id would leave the first one without an owner.
    if (streamId === '' || streams.has(streamId)) return
    if (streams.size >= maxStreams) return refuse(streamId, `this gateway serves ${maxStreams} logs at a time`)
    const stream = logStream({ request, outbox, clock, ended: () => streams.delete(streamId) })
    streams.set(streamId, stream)
    feed(stream, request).catch((error: unknown) => {
      log.warn({ err: error, server: request.server }, 'a log could not be read')
      stream.finish(error instanceof Error ? error.message : String(error))
    })
  }

  async function feed(stream: LogStream, { server, instanceId, previous, follow }: LogRequest): Promise<void> {
    if (server === '') return await stream.add([{ instanceId: '', log: own }])
    if (!Name.safeParse(server).success) return stream.finish(`${server} is not the name of a server`)
    // New instances are heard of before the present ones are read, so that none falls in between.
    if (follow && instanceId === '') stream.onEnd(book.onOpen((name, opened) => name === server && void stream.join(opened)))
    if (follow && instanceId !== '') stream.onEnd(book.onClose((name, id) => name === server && id === instanceId && stream.finish('')))
    const found = await book.find(server, instanceId || undefined)
    if (found.length === 0 && instanceId !== '') return stream.finish(`there is no log of ${instanceId}`)
    if (found.length === 0 && !follow) return stream.finish(`${server} has not run here`)
    await stream.add(previous ? await previousOf(server, found) : found)
    if (instanceId !== '' && !found[0]?.isRunning) stream.finish('')
  }

  /** An instance that was not started again shows the one that it replaced. */
  async function previousOf(server: string, found: Origin[]): Promise<Origin[]> {
    const all = await Promise.all(
      found.map(async (one) =>
        (await one.log.hasPrevious()) ? { ...one, previous: true } : await book.predecessor(server, one.instanceId),
      ),
    )
    return all.filter((one) => one !== undefined)
  }

  function refuse(streamId: string, error: string): void {
    outbox.push('logs', () => ({ case: 'logChunk', value: { streamId, last: true, error } }))
  }

  function close(): void {
    for (const stream of Array.from(streams.values())) stream.cancel()
  }
}
