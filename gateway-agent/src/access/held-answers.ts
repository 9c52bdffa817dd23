import type { ServerResponse } from 'node:http'
import type { Shown } from './access.ts'

/** Answers under way, by what let those in who asked for them: when that no longer holds, they are cut. */
export function heldAnswers() {
  const held = new Map<ServerResponse, Shown>()
  return { hold, cutUnless, firstEnd: () => firstEndOf(held.values()) }

  function hold(shown: Shown, response: ServerResponse): void {
    held.set(response, shown)
    response.once('close', () => held.delete(response))
  }

  function cutUnless(holds: (shown: Shown) => boolean): void {
    for (const [response, shown] of held) if (!holds(shown)) response.destroy()
  }
}

/** When the first of them is over, in milliseconds since 1970; Infinity: none by itself. */
export function firstEndOf(all: Iterable<Shown>): number {
  let first = Infinity
  for (const { until } of all) first = Math.min(first, until)
  return first
}
