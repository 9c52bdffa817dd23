import type { ConnectResponse } from '@mcpg/proto/gen/gateway'

export type Frame = Exclude<ConnectResponse['frame'], { case: undefined }>

/** Most that may wait for one gateway: a slow reader must not grow our memory. */
export const outboxLimits = { frames: 64, bytes: 2 * 1024 * 1024 }

/** Frames waiting at the same time leave in this order; those of one rank in the order in which they came. */
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
const lastRank = 5

/** Frames that are passed on before the first is known to be taken; more would leave the order to the transport. */
const window = 4

/**
 * What waits for one gateway. `send` hands a frame to the transport and says when it was taken; `overflow` is called once, when the
 * limit is passed, and everything that waited is gone then.
 */
export function outbox({ send, overflow }: { send: (frame: Frame, taken: () => void) => void; overflow: () => void }) {
  const queues: Frame[][] = Array.from({ length: lastRank + 1 }, () => [])
  let frames = 0
  let bytes = 0
  let passing = 0
  let open = true
  return { push, waiting: () => frames, close }

  function push(frame: Frame): void {
    if (!open) return
    queues[ranks[frame.case] ?? lastRank]!.push(frame)
    frames++
    bytes += sizeOf(frame)
    pump()
    if (open && (frames > outboxLimits.frames || bytes > outboxLimits.bytes)) {
      close()
      overflow()
    }
  }

  function close(): void {
    open = false
    for (const queue of queues) queue.length = 0
    frames = bytes = 0
  }

  function pump(): void {
    while (open && passing < window) {
      const frame = queues.find((queue) => queue.length > 0)?.shift()
      if (!frame) return
      frames--
      bytes -= sizeOf(frame)
      passing++
      send(frame, () => {
        passing--
        pump()
      })
    }
  }
}

/** Only a config is big; everything else is counted as the small thing it is. */
function sizeOf(frame: Frame): number {
  return frame.case === 'configOffer' ? frame.value.configBytes.length + 512 : 256
}
