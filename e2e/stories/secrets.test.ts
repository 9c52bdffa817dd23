import { expect, it } from 'vitest'
import { fastTimers } from '../harness/programs.ts'
import { applyAndWait, askForOthers, restartOffline, rotate } from '../scenarios/secrets.ts'

const env = { MCPG_TIMERS: fastTimers }

it('brings a rotated value to the server that uses it, and leaves every other server alone', async () => {
  const { milliseconds, ...rest } = await rotate({ rounds: 2, env })
  expect(milliseconds).toHaveLength(2)
  expect(rest).toEqual({ isRestarted: true, areOthersUntouched: true })
})

it('waits with `apply --wait` until a server that did not change itself has the new value of its key', async () => {
  const values = ['second-token', 'third-token']
  expect(await applyAndWait({ values, env })).toEqual(values)
})

it('refuses a gateway what its configs do not name, and writes down that it asked', async () => {
  expect(await askForOthers({ env })).toEqual({ areRefused: true, isAudited: true })
})

it('starts servers with the values of their slot while the control plane is gone, and after a rollback with those that worked', async () => {
  expect(await restartOffline({ env })).toEqual({ newest: 'third-token', afterRollback: 'first-token' })
})
