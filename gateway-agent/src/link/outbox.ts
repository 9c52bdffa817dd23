import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { ConnectRequestSchema, type ConnectRequest } from '@mcpg/proto/gen/gateway'

export type Frame = NonNullable<MessageInitShape<typeof ConnectRequestSchema>['frame']>

/** Waiting frames leave in this order. */
const ranks = ['hello', 'heartbeat', 'status', 'other'] as const
export type Rank = (typeof ranks)[number]

/** Per rank; what would exceed it is dropped and counted. */
const limit = 1024

export type Outbox = ReturnType<typeof createOutbox>

/**
 * Frames on their way up one stream. A frame is made when it leaves, so what changed meanwhile is in it; null leaves it out. Numbers are
 * given at the same moment, 1, 2, 3, …
 */
export function createOutbox() {
  const waiting = new Map<Rank, (() => Frame | null)[]>(ranks.map((rank) => [rank, []]))
  let sequence = 0n
  let dropped = 0
  let isEnded = false
  let wake = () => {}
  return { push, end, frames, dropped: () => dropped }

  function push(rank: Rank, make: () => Frame | null): void {
    const queue = waiting.get(rank) ?? []
    if (isEnded || queue.length >= limit) dropped++
    else queue.push(make)
    wake()
  }

  /** Nothing is taken any more; what waits still leaves. */
  function end(): void {
    isEnded = true
    wake()
  }

  async function* frames(): AsyncGenerator<ConnectRequest> {
    for (;;) {
      const make = next()
      if (make) {
        const frame = make()
        if (frame) yield create(ConnectRequestSchema, { sequenceNum: ++sequence, frame })
      } else if (isEnded) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }

  function next(): (() => Frame | null) | undefined {
    for (const rank of ranks) {
      const make = waiting.get(rank)?.shift()
      if (make) return make
    }
    return undefined
  }
}
