/** A piece of a program that is started and stopped. */
export type Part = {
  name: string
  /** Resolves once ready. A loop calls `fail` if it dies later. */
  start(fail: (error: unknown) => void): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts parts in order, runs until `stopping` aborts or one fails, stops them in reverse. Rejects with the first failure, after
 * everything that was started has been stopped; an error while stopping does not keep the others from being stopped.
 */
export async function run(parts: Part[], stopping: AbortSignal, onReady: () => void = () => {}): Promise<void> {
  const started: Part[] = []
  const failures: unknown[] = []
  let end = () => {}
  const ended = new Promise<void>((resolve) => (end = resolve))
  stopping.addEventListener('abort', end, { once: true })
  try {
    for (const part of parts) {
      if (stopping.aborted) break
      started.push(part)
      await part.start((error) => {
        failures.push(error)
        end()
      })
    }
    if (!stopping.aborted && failures.length === 0) {
      onReady()
      await ended
    }
  } catch (error) {
    failures.push(error)
  }
  stopping.removeEventListener('abort', end)
  for (const part of started.reverse()) await part.stop().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
