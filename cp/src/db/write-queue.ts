import { AsyncLocalStorage } from 'node:async_hooks'
import { McpgError } from '@mcpg/proto/errors'
import { turn } from '../turns.ts'

/**
 * One queue through which every write of this process goes, one after the other. At most `limit` wait; the next one is refused, as
 * is one that has waited for `maxWaitMs`.
 */
export function writeQueue({ limit, maxWaitMs }: { limit: number; maxWaitMs: number }) {
  let tail: Promise<unknown> = Promise.resolve()
  let waiting = 0
  const inside = new AsyncLocalStorage<{ open: boolean }>()
  return { run, idle }

  /** `left` is called when what follows in the same call chain may ask for a write of its own again, at the latest when the job ends. */
  function run<T>(job: (left: () => void) => Promise<T>): Promise<T> {
    // It would wait for itself for ever.
    if (inside.getStore()?.open) return Promise.reject(new Error('db.write was called inside db.write; use the tx that was handed over'))
    if (waiting >= limit) return Promise.reject(busy(`${limit} writes are waiting`))
    waiting++
    const since = performance.now()
    const result = tail.then(async () => {
      // With a synchronous driver `await` alone never yields.
      await turn()
      waiting--
      if (performance.now() - since > maxWaitMs) throw busy(`the writes before this one took ${maxWaitMs / 1000} s`)
      const state = { open: true }
      const left = () => void (state.open = false)
      return inside.run(state, () => job(left)).finally(left)
    })
    tail = result.catch(() => {})
    return result
  }

  /** Resolves when everything that was asked for so far is done. */
  async function idle(): Promise<void> {
    await tail
  }
}

function busy(why: string): McpgError {
  return new McpgError('unavailable', 'database_busy', `The database is busy: ${why}.`, { hint: 'Try again.', retryAfterSeconds: 1 })
}
