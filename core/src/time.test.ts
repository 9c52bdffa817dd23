import { describe, expect, it } from 'vitest'
import { fullJitter, jitter } from './backoff.ts'
import { fakeClock } from './clock.ts'
import { defaultTimers, readTimers } from './timers.ts'

describe('fullJitter', () => {
  it('stays below base·2ⁿ and below the maximum', () => {
    for (let attempt = 0; attempt < 40; attempt++) {
      expect(fullJitter(attempt, { baseMs: 1000, maxMs: 60_000 }, () => 0.999_999)).toBeLessThan(Math.min(60_000, 1000 * 2 ** attempt))
      expect(fullJitter(attempt, { baseMs: 1000, maxMs: 60_000 }, () => 0)).toBe(0)
    }
  })

  it('spreads around a period', () => {
    expect(jitter(1000, 0.1, () => 0)).toBe(900)
    expect(jitter(1000, 0.1, () => 1)).toBe(1100)
  })
})

describe('readTimers', () => {
  it('changes the named ones only', () => {
    expect(readTimers('heartbeat=200, probation=300')).toEqual({ ...defaultTimers, heartbeat: 200, probation: 300 })
    expect(readTimers(undefined)).toEqual(defaultTimers)
  })

  it.each(['heart=1', 'heartbeat=-1', 'heartbeat', 'toString=1'])('refuses %s and names it', (text) => {
    expect(() => readTimers(text)).toThrow(text)
  })
})

describe('fakeClock', () => {
  it('runs what falls due in order, also what is set meanwhile', async () => {
    const clock = fakeClock()
    const seen: string[] = []
    clock.after(20, () => seen.push(`b at ${clock.monotonic()}`))
    clock.after(10, () => {
      seen.push(`a at ${clock.monotonic()}`)
      clock.after(5, () => seen.push(`c at ${clock.monotonic()}`))
    })
    const cancel = clock.after(12, () => seen.push('never'))
    cancel()
    await clock.advance(30)
    expect(seen).toEqual(['a at 10', 'c at 15', 'b at 20'])
    expect(clock.monotonic()).toBe(30)
  })
})
