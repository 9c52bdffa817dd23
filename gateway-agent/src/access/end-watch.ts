import type { Clock } from '@mcpg/core/clock'

/** Looked at this often at least: clocks are set, and laptops sleep. */
const maxWaitMs = 60_000

/** Looks when something that was shown is over. `look` ends what is, and says when the next is; Infinity: never. One timer for all. */
export function endWatch({ clock, look }: { clock: Clock; look: () => number }) {
  let next = Infinity
  let cancel = () => {}
  return { note, stop }

  /** In milliseconds since 1970. */
  function note(until: number): void {
    if (until >= next) return
    next = until
    cancel()
    cancel = clock.after(Math.min(Math.max(until - clock.now(), 0), maxWaitMs), run)
  }

  function run(): void {
    next = Infinity
    note(look())
  }

  function stop(): void {
    cancel()
    next = -Infinity
  }
}
