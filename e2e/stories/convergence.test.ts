import { expect, it } from 'vitest'
import { fastTimers } from '../harness/programs.ts'
import { manyChanges } from '../scenarios/convergence.ts'

it('comes to what was asked for last, whatever was changed, broken and killed on the way', async () => {
  expect(await manyChanges({ seed: 21, rounds: 6, env: { MCPG_TIMERS: fastTimers } })).toBeNull()
})
