import { expect, it } from 'vitest'
import { falsifiedOffers, flippedSlots, killedWhileApplying } from '../scenarios/tampering.ts'

it('refuses every falsified offer with a reason of its own, starts nothing of it, and takes the next honest one', async () => {
  expect((await falsifiedOffers()).map(({ way, reason, isServed }) => [way, reason, isServed])).toEqual([
    ['a bit of the bytes', 'HASH_MISMATCH', false],
    ['a bit of the signature', 'BAD_SIGNATURE', false],
    ['a bit of the signed header', 'BAD_SIGNATURE', false],
    ['signed for another gateway', 'WRONG_GATEWAY', false],
    ['an older generation', 'STALE_GENERATION', false],
  ])
})

it('serves whichever stored file has a flipped bit, with nobody to ask, and says so when somebody is there again', async () => {
  const { outcomes, reasons } = await flippedSlots()
  expect(outcomes.length).toBeGreaterThan(4)
  expect(outcomes.filter(({ isServing }) => !isServing)).toEqual([])
  expect(reasons).toContain('SLOT_CORRUPT')
})

it('ends up with the newest config however often it is killed while it applies one', async () => {
  const { stuck, refusals } = await killedWhileApplying({ kills: 5 })
  expect(stuck).toEqual([])
  // A candidate that saw several boots die may be given up for that; nothing else may be said about an honest offer.
  expect(refusals.filter((reason) => reason !== 'CRASH_LOOP')).toEqual([])
})
