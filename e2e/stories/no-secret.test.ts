import { expect, it } from 'vitest'
import { plantToken } from '../scenarios/canary.ts'

it('keeps an enrollment token out of logs, files, arguments, environments, answers and commands', async () => {
  const { found, looked } = await plantToken()
  expect(found).toEqual([])
  // Files, processes and answers: fewer would mean that nothing was looked at.
  expect(looked).toBeGreaterThan(60)
})
