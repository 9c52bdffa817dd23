import type { ConnectResponse } from '@mcpg/proto/gen/gateway'

export type Frame = Exclude<ConnectResponse['frame'], { case: undefined }>

/** Most that may wait for one gateway of what must not get lost: a slow reader must not grow our memory. */
export const outboxLimits = { frames: 64, bytes: 2 * 1024 * 1024 }

/**
 * Streams of each rank that may wait for their turn. They hold their data themselves, within the credit of the other side; a frame is
 * made when it leaves.
 */
export const streamLimits = { mcp: 1024, logs: 256 } as const
export type StreamRank = keyof typeof streamLimits

/** Frames waiting at the same time leave in this order; those of one rank in the order in which they came (`docs/protocol.md`). */
const ranks: { [Case in Frame['case']]?: number } = {
  welcome: 0,
  terminate: 0,
  backoff: 0,
  heartbeatAck: 1,
  reportFullState: 2,
  command: 2,
  connectionSettings: 2,
  accessOffer: 3,
  configOffer: 4,
}
const streamRanks = { mcp: 5, logs: 6 } as const
/** Questions and acknowledgements that can wait. */
const lastRank = 7

/** Frames that are passed on before the first is known to be taken; more would leave the order to the transport. */
const window = 4

type Entry = { bytes: number; make: () => Frame | null }

/**
 * What waits for one gateway. `send` hands a frame to the transport and says when it was taken; `overflow` is called once, when the
 * limit is passed, and everything that waited is gone then.
 */
export function outbox({ send, overflow }: { send: (frame: Frame, taken: () => void) => void; overflow: () => void }) {
  const queues: Entry[][] = Array.from({ length: lastRank + 1 }, () => [])
  const drops = { mcp: 0, logs: 0 }
  let frames = 0
  let bytes = 0
  let passing = 0
  let pumping = false
  let open = true
  return { push, pushStream, waiting: () => frames, dropped: (rank: StreamRank) => drops[rank], close }

  function push(frame: Frame): void {
    if (!open) return
    const entry = { bytes: sizeOf(frame), make: () => frame }
    queues[ranks[frame.case] ?? lastRank]!.push(entry)
    frames++
    bytes += entry.bytes
    pump()
    if (open && (frames > outboxLimits.frames || bytes > outboxLimits.bytes)) {
      close()
      overflow()
    }
  }

  /**
   * The next frame of a log or MCP stream, made when it leaves; null leaves it out. A stream asks again after each frame, so that those
   * of one rank take turns. False when too many wait already: counted, and whoever holds the data decides what that means.
   */
  function pushStream(rank: StreamRank, make: () => Frame | null): boolean {
    const queue = queues[streamRanks[rank]]!
    if (!open || queue.length >= streamLimits[rank]) {
      drops[rank]++
      return false
    }
    queue.push({ bytes: 0, make })
    pump()
    return true
  }

  function close(): void {
    open = false
    for (const queue of queues) queue.length = 0
    frames = bytes = 0
  }

  function pump(): void {
    // Making a frame may ask for the next one of the same stream, which must not overtake it.
    if (pumping) return
    pumping = true
    while (open && passing < window && passNext());
    pumping = false
  }

  /** False when nothing waits. */
  function passNext(): boolean {
    const rank = queues.findIndex((queue) => queue.length > 0)
    const entry = queues[rank]?.shift()
    if (!entry) return false
    if (!isStream(rank)) frames--
    bytes -= entry.bytes
    const frame = entry.make()
    if (frame) {
      passing++
      send(frame, taken)
    }
    return true
  }

  function taken(): void {
    passing--
    pump()
  }
}

const isStream = (rank: number): boolean => rank === streamRanks.mcp || rank === streamRanks.logs

/** Only a config is big; everything else is counted as the small thing it is. */
function sizeOf(frame: Frame): number {
  return frame.case === 'configOffer' ? frame.value.configBytes.length + 512 : 256
}
