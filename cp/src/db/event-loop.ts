export type Stalls = {
  /** Longest time between two turns by the clock; on a busy machine it holds what other processes took. */
  maxStallMs: number
  /** The same in CPU time of this thread: what our own code took. */
  maxHeldMs: number
  turns: number
}

/** Longest stretch without a turn of the event loop, seen by a timer of 1 ms. Percentiles would hide a single stall. */
export function measureStalls(): { stop: () => Stalls } {
  let last = read()
  let turns = 0
  const longest = { wall: 0, cpu: 0 }
  const timer = setInterval(look, 1)
  return {
    stop() {
      clearInterval(timer)
      look()
      return { maxStallMs: rounded(longest.wall - 1), maxHeldMs: rounded(longest.cpu), turns }
    },
  }

  function look(): void {
    const now = read()
    longest.wall = Math.max(longest.wall, now.wall - last.wall)
    longest.cpu = Math.max(longest.cpu, now.cpu - last.cpu)
    last = now
    turns++
  }
}

function read(): { wall: number; cpu: number } {
  const { user, system } = process.threadCpuUsage()
  return { wall: performance.now(), cpu: (user + system) / 1000 }
}

const rounded = (ms: number): number => Math.max(0, Math.round(ms * 10) / 10)
