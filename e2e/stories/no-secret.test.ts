import { expect, it } from 'vitest'
import { fastTimers } from '../harness/programs.ts'
import { plantToken } from '../scenarios/canary.ts'
import { plantSecret } from '../scenarios/planted-secret.ts'

it('keeps an enrollment token out of logs, files, arguments, environments, answers and commands', async () => {
  const { found, looked } = await plantToken()
  expect(found).toEqual([])
  // Files, processes and answers: fewer would mean that nothing was looked at.
  expect(looked).toBeGreaterThan(60)
}, 240_000)

it('keeps the value of a secret out of logs, files, arguments, answers, pages, commands and the database, also after a kill', async () => {
  const { found, looked, isRevealed } = await plantSecret({ env: { MCPG_TIMERS: fastTimers } })
  expect(found).toEqual([])
  expect(looked).toBeGreaterThan(60)
  expect(isRevealed).toBe(true)
}, 240_000)
