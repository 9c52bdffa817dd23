import { describe, expect, it } from 'vitest'
import { Duration, durationMs } from './durations.ts'

describe('a duration', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['15m', 900_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
  ])('%s is %i ms', (text, ms) => expect(durationMs(Duration.parse(text))).toBe(ms))

  it.each(['', '30', '1.5h', '-1s', 's', '1 s', '1w', '1234567890s', 'x'.repeat(500)])(
    'is not %s, whatever else is asked of it',
    (text) => {
      const bounded = Duration.refine((value) => durationMs(value) >= 1000, 'must be 1s at least')
      expect(bounded.safeParse(text).error?.issues.map(({ message }) => message)).toEqual([
        'must be a whole number with a unit: ms, s, m, h or d (e.g. 30s)',
      ])
    },
  )
})
