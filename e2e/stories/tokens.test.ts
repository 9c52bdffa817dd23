import { expect, it } from 'vitest'
import { fastTimers } from '../harness/programs.ts'
import { offerBytes, revokeTokens } from '../scenarios/revocations.ts'

it('revoked tokens stop at once whatever a gateway is doing, and the others go on without the centre', async () => {
  const { latencies, isStillApplied, cutOff, restarted } = await revokeTokens({
    revocations: 5,
    others: 3,
    startTimeout: '15s',
    env: { MCPG_TIMERS: fastTimers },
  })
  expect(isStillApplied).toBe(true)
  for (const [phase, times] of latencies) expect([phase, Math.max(...times) < 5_000]).toEqual([phase, true])
  const right = { honoured: 3, refused: 15 }
  expect([cutOff, restarted]).toEqual([right, right])
}, 180_000)

it('one revocation among ten thousand tokens is less than a kibibyte', () => {
  expect(offerBytes(10_000).delta).toBeLessThan(1024)
})
