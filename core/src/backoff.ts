/**
 * Full jitter: uniform between 0 and min(max, base·2ⁿ), so that a fleet that lost the same peer comes back spread out.
 * `attempt` counts from 0.
 */
export function fullJitter(attempt: number, { baseMs, maxMs }: { baseMs: number; maxMs: number }, random = Math.random): number {
  return Math.floor(random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30)))
}

/** `ms` ± `share` of it. */
export function jitter(ms: number, share: number, random = Math.random): number {
  return Math.round(ms * (1 - share + 2 * share * random()))
}
