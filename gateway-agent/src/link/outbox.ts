import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { ConnectRequestSchema, type ConnectRequest } from '@mcpg/proto/gen/gateway'

export type Frame = NonNullable<MessageInitShape<typeof ConnectRequestSchema>['frame']>

/**
 * The ranks in the order in which waiting frames leave (`docs/protocol.md`), each with how many may wait. `status` also carries what a
 * config comes to and the answers to commands. From `mcp` on an entry is a stream that has something to send, not the data itself: it
 * asks again after each frame, so streams of one rank take turns and nothing waits here twice.
 */
const limits = {
  hello: 1,
  heartbeat: 16,
  status: 1024,
  access: 64,
  inventory: 4096,
  mcp: 1024,
  logs: 256,
  events: 16,
  audit: 64,
  usage: 64,
  goodbye: 1,
} as const
export type Rank = keyof typeof limits
const ranks = Object.keys(limits) as Rank[]

/** What loses its meaning when the stream ends. */
const data: readonly Rank[] = ['inventory', 'mcp', 'logs', 'events', 'audit', 'usage']

export type Outbox = ReturnType<typeof createOutbox>

/**
 * Frames on their way up one stream. A frame is made when it leaves, so what changed meanwhile is in it; null leaves it out. Numbers are
 * given at the same moment, 1, 2, 3, …
 */
export function createOutbox() {
  const waiting = new Map<Rank, (() => Frame | null)[]>(ranks.map((rank) => [rank, []]))
  const drops = new Map<Rank, number>()
  let sequence = 0n
  let isEnded = false
  let wake = () => {}
  return { push, end, frames, dropped: (rank: Rank) => drops.get(rank) ?? 0 }

  /** False when nothing more of the rank is taken: it is counted as dropped, and whoever holds the data decides what that means. */
  function push(rank: Rank, make: () => Frame | null): boolean {
    const queue = waiting.get(rank)
    if (!queue || isEnded || queue.length >= limits[rank]) {
      drops.set(rank, (drops.get(rank) ?? 0) + 1)
      return false
    }
    queue.push(make)
    wake()
    return true
  }

  /** Nothing is taken any more. What was said still leaves; data does not hold up the end. */
  function end(): void {
    isEnded = true
    for (const rank of data) waiting.set(rank, [])
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
