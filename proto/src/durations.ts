import { z } from 'zod'

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A duration as people write it: `\d+(ms|s|m|h|d)`. What is none is refused before anything else is asked of it. */
export const Duration = z
  .string()
  .regex(/^\d{1,9}(ms|s|m|h|d)$/, { error: 'must be a whole number with a unit: ms, s, m, h or d (e.g. 30s)', abort: true })

/** Milliseconds of a `Duration` that has passed its schema. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text)
  if (!match) throw new RangeError(`not a duration: ${text}`)
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]
}
