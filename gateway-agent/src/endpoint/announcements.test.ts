import { fakeClock } from '@mcpg/core/clock'
import { expect, it } from 'vitest'
import { announcements } from './announcements.ts'
import type { Listing } from './listing.ts'
import type { ListKind } from './lists.ts'

function setUp() {
  const clock = fakeClock()
  const told: ListKind[][] = []
  let refreshes = 0
  let answer = Promise.resolve()
  const list = { invalidate: () => {}, refresh: () => (refreshes++, answer) } as Partial<Listing> as Listing
  const lists = { tools: list, prompts: list, resources: list, resourceTemplates: list }
  const announced = announcements({ lists, clock, waitMs: 250, onAnnounced: (kinds) => told.push(kinds) })
  return { clock, told, announced, refreshes: () => refreshes, hold }

  function hold(): void {
    answer = new Promise(() => {})
  }
}

it('tells when the list has been read', async () => {
  const { clock, told, announced } = setUp()
  announced.announce(['tools'])
  await clock.advance(0)
  expect(told).toEqual([])
  await Promise.resolve()
  await clock.advance(1)
  expect(told).toEqual([['tools']])
  expect(announced.isAnnouncing('tools')).toBe(false)
  announced.announce(['tools'])
  await clock.advance(250)
  await clock.advance(250)
  expect(told).toEqual([['tools'], ['tools']])
})

it('does not wait for a server that is too slow', async () => {
  const { clock, told, announced, hold } = setUp()
  hold()
  announced.announce(['tools'])
  await clock.advance(249)
  expect(told).toEqual([])
  await clock.advance(2)
  expect(told).toEqual([['tools']])
})

it('tells once per wait, however often the server says it', async () => {
  const { clock, told, announced, refreshes } = setUp()
  for (let step = 0; step < 100; step++) {
    for (let again = 0; again < 100; again++) announced.announce(['tools'])
    await clock.advance(10)
  }
  expect(told.length).toBeGreaterThan(1)
  expect(told.length).toBeLessThanOrEqual(6)
  expect(refreshes()).toBeLessThanOrEqual(6)
})
