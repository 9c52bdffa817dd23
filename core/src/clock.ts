/** Time as a dependency, so that a test can move it. */
export type Clock = {
  /** Wall time in milliseconds since 1970. */
  now(): number
  /** Milliseconds that never jump; for deadlines and liveness. */
  monotonic(): number
  /** Calls once after `ms`; the answer cancels. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** A clock that stands still until it is moved; `advance` runs what falls due, in order of time. */
export function fakeClock(start = Date.UTC(2026, 0, 1)): Clock & { advance(ms: number): Promise<void> } {
  let elapsed = 0
  let serial = 0
  const due = new Map<number, { at: number; run: () => void }>()
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    after(ms, run) {
      const id = serial++
      due.set(id, { at: elapsed + ms, run })
      return () => due.delete(id)
    },
    async advance(ms) {
      const end = elapsed + ms
      for (;;) {
        const next = [...due].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0]
        if (!next) break
        due.delete(next[0])
        elapsed = Math.max(elapsed, next[1].at)
        next[1].run()
        // What the timer set going by promises runs before the next timer does.
        await new Promise((resolve) => setImmediate(resolve))
      }
      elapsed = end
    },
  }
}
