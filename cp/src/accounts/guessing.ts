import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'

/** Failures that one address may make on one account in a window, and on all accounts together. */
const mostPerAccount = 10
const mostPerAddress = 100
const windowMs = 15 * 60_000
/** Counters kept at once; a full map forgets the oldest. */
const maxCounters = 20_000

type Counter = { failures: number; since: number }

/**
 * Slows guessing: 10 failures per 15 min of one address on one account, 100 on all. Counted by both together, so that a stranger
 * cannot keep the owner out from elsewhere; the window ends by itself. Kept in memory: a restart forgets it.
 */
export function guessingLimits({ clock }: { clock: Clock }) {
  const counters = new Map<string, Counter>()
  return { attempt }

  /**
   * Counts the attempt before it is made, so that many at once gain nothing, and takes it back once it `succeeded` or was not judged
   * at all. Throws rate_limited with the seconds to wait, also for the right password.
   */
  async function attempt<T>(account: string, source: string, judge: () => Promise<T | null>): Promise<T | null> {
    const keys = [`${source} ${account}`, source]
    const waitMs = Math.max(wait(keys[0]!, mostPerAccount), wait(keys[1]!, mostPerAddress))
    if (waitMs > 0)
      throw new McpgError('rate_limited', 'too_many_attempts', 'Too many failed attempts to sign in from this address.', {
        retryAfterSeconds: Math.ceil(waitMs / 1000),
        hint: `try again in ${Math.ceil(waitMs / 60_000)} min`,
      })
    for (const key of keys) count(key)
    const verdict = await judge().catch((error: unknown) => {
      for (const key of keys) takeBack(key)
      throw error
    })
    if (verdict === null) return null
    counters.delete(keys[0]!)
    takeBack(keys[1]!)
    return verdict
  }

  function count(key: string): void {
    const counter = live(key) ?? { failures: 0, since: clock.monotonic() }
    counter.failures += 1
    counters.delete(key)
    counters.set(key, counter)
    if (counters.size > maxCounters) counters.delete(counters.keys().next().value!)
  }

  function takeBack(key: string): void {
    const counter = counters.get(key)
    if (counter && --counter.failures <= 0) counters.delete(key)
  }

  /** Milliseconds until the counter lets pass again; 0: it does now. */
  function wait(key: string, most: number): number {
    const counter = live(key)
    return counter && counter.failures >= most ? counter.since + windowMs - clock.monotonic() : 0
  }

  function live(key: string): Counter | undefined {
    const counter = counters.get(key)
    if (counter && clock.monotonic() - counter.since < windowMs) return counter
    counters.delete(key)
    return undefined
  }
}
