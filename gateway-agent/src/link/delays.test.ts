import { expect, it } from 'vitest'
import { defaultTimers } from '@mcpg/core/timers'
import { reconnectDelays } from './delays.ts'

const longest = () => reconnectDelays(defaultTimers, () => 0.999_999)
const most = (ms: number) => ms - 1

it('waits up to five seconds after an unexpected break, then doubles up to a minute', () => {
  const delays = longest()
  expect(delays.broken(120_000)).toBe(most(5_000))
  expect(Array.from({ length: 8 }, () => delays.failed())).toEqual([2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => most(seconds * 1000)))
})

it('begins with a second when there never was a stream', () => {
  const delays = longest()
  expect([delays.failed(), delays.failed(), delays.failed()]).toEqual([1, 2, 4].map((seconds) => most(seconds * 1000)))
})

it('spreads over the whole range down to zero', () => {
  const delays = reconnectDelays(defaultTimers, () => 0)
  expect([delays.broken(0), delays.failed(), delays.failed()]).toEqual([0, 0, 0])
})

it('forgets its failures only after a minute of a healthy stream', () => {
  const delays = longest()
  for (let n = 0; n < 5; n++) delays.failed()
  expect(delays.broken(59_999)).toBe(most(32_000))
  expect(delays.broken(60_000)).toBe(most(5_000))
})

it('asks once an hour after the credential was refused six times in a row', () => {
  const delays = longest()
  const waits = Array.from({ length: 7 }, () => delays.refused())
  expect(waits.slice(0, 5).every((ms) => ms < 60_000)).toBe(true)
  expect(waits.slice(5)).toEqual([3_600_000, 3_600_000])
  delays.forgive()
  expect(delays.refused()).toBe(most(1_000))
})

it('does not count refusals that a working stream has interrupted', () => {
  const delays = longest()
  for (let n = 0; n < 5; n++) delays.refused()
  delays.broken(60_000)
  expect(delays.refused()).toBeLessThan(60_000)
})
