import type { Clock } from '@mcpg/core/clock'

type Job = { firstAt: number; cancel: () => void; running: boolean; again: boolean }

/**
 * Runs the work of a key once its touches have paused for `delayMs`, and at most `maxWaitMs` after the first. A touch during a run leads
 * to another one; a key never runs twice at once.
 */
export function debouncer({
  clock,
  delayMs,
  maxWaitMs,
  run,
  onError,
}: {
  clock: Clock
  delayMs: number
  maxWaitMs: number
  run: (key: string) => Promise<void>
  onError: (key: string, error: unknown) => void
}) {
  const jobs = new Map<string, Job>()
  const runs = new Set<Promise<void>>()
  let stopped = false
  return { touch, now, stop }

  function touch(key: string): void {
    const job = jobOf(key)
    if (job.running) job.again = true
    else schedule(key, job, Math.min(delayMs, Math.max(0, job.firstAt + maxWaitMs - clock.monotonic())))
  }

  function now(key: string): void {
    const job = jobOf(key)
    if (job.running) job.again = true
    else schedule(key, job, 0)
  }

  async function stop(): Promise<void> {
    stopped = true
    for (const job of jobs.values()) job.cancel()
    await Promise.all(runs)
  }

  function jobOf(key: string): Job {
    let job = jobs.get(key)
    if (!job) jobs.set(key, (job = { firstAt: clock.monotonic(), cancel: () => {}, running: false, again: false }))
    return job
  }

  function schedule(key: string, job: Job, inMs: number): void {
    if (stopped) return
    job.cancel()
    job.cancel = clock.after(inMs, () => {
      const running = perform(key, job).finally(() => runs.delete(running))
      runs.add(running)
    })
  }

  async function perform(key: string, job: Job): Promise<void> {
    job.running = true
    await run(key).catch((error: unknown) => onError(key, error))
    jobs.delete(key)
    if (job.again) touch(key)
  }
}
