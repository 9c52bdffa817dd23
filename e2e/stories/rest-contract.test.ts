import { expect, it } from 'vitest'
import { askEverything } from '../rest-contract/contract.ts'

it('answers whatever it is asked as its OpenAPI document says', async () => {
  const { operations, succeeded, wrong } = await askEverything({ runs: 3, seed: 7 })
  expect(wrong).toEqual([])
  // Otherwise it would only have shown how requests are refused.
  expect(succeeded).toBeGreaterThan(operations / 3)
}, 120_000)
