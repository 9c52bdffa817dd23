import { expect, it } from 'vitest'
import { roundTripKinds } from '../scenarios/kinds.ts'

it('makes the same of flags, a manifest and REST, for every kind, and reads its own YAML back', async () => {
  const { objects, wrong } = await roundTripKinds({ perKind: 1 })
  expect(wrong).toEqual([])
  expect(objects).toBeGreaterThan(0)
}, 180_000)
