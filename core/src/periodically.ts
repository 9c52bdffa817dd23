import type { Clock } from './clock.ts'
import type { Part } from './lifecycle.ts'

export type Periodic = Pick<Part, 'name' | 'stop'> & {
  start: () => Promise<void>
  /** The next run begins at once, or as soon as the one on its way has ended. */
  soon: () => void
  /** Resolves when the run that is on its way now has ended. */
  settled: () => Promise<void>
}

/**
 * Does something again and again, never twice at a time: `everyMs` is from the end of a run to the next. One that fails is told to `failed`
 * and the next one comes all the same. `stop` waits for the run on its way, which may end early by the signal it was given.
 */
export function periodically({
  name,
  clock,
  everyMs,
  firstMs,
  work,
  failed,
}: {
  name: string
  clock: Pick<Clock, 'after'>
  /** Asked after every run, where it differs or has jitter. */
  everyMs: number | (() => number)
  /** From the start to the first run; without it as long as between two. */
  firstMs?: number
  work: (stopping: AbortSignal) => Promise<void> | void
  failed: (error: unknown) => void
}): Periodic {
  const stopping = new AbortController()
  const pauseMs = () => (typeof everyMs === 'number' ? everyMs : everyMs())
  let cancel = () => {}
  let isRunning = false
  let isWantedSoon = false
  let running: Promise<void> = Promise.resolve()
  return { name, start: async () => wait(firstMs ?? pauseMs()), stop, soon, settled: () => running }

  function wait(ms: number): void {
    cancel()
    // A timer left behind would keep the process alive.
    if (stopping.signal.aborted || isRunning) return
    cancel = clock.after(ms, () => (running = run()))
  }

  async function run(): Promise<void> {
    isRunning = true
    isWantedSoon = false
    try {
      await work(stopping.signal)
    } catch (error) {
      failed(error)
    }
    isRunning = false
    wait(isWantedSoon ? 0 : pauseMs())
  }

  function soon(): void {
    isWantedSoon = true
    wait(0)
  }

  async function stop(): Promise<void> {
    stopping.abort('stopping')
    cancel()
    await running
  }
}
