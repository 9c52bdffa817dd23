import type { Readable } from 'node:stream'
import type { Clock } from '@mcpg/core/clock'

/** What a server may log in a second; one that writes more is slowed down by its full pipe, not the agent by its lines. */
const maxBytesPerSecond = 1024 * 1024

/** Stops reading for the rest of the second once the allowance is used up. */
export function throttle(stream: Readable, clock: Clock): void {
  let since = clock.monotonic()
  let used = 0
  stream.on('data', (chunk: string | Buffer) => {
    const now = clock.monotonic()
    if (now - since >= 1_000) {
      since = now
      used = 0
    }
    used += chunk.length
    if (used <= maxBytesPerSecond) return
    stream.pause()
    clock.after(since + 1_000 - now, () => stream.resume())
  })
}
