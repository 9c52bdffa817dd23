import { expect, it } from 'vitest'
import { fastTimers } from '../harness/programs.ts'
import { showIdTokens } from '../scenarios/id-tokens.ts'
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

it('an id_token is as good as a token, by what its person may use, and asks neither the centre nor the issuer', async () => {
  const { withoutRights, content, bySignIn, refusals, latencies, signedOut, cutOff, restarted } = await showIdTokens({ takings: 3 })
  expect(withoutRights).toEqual({ answer: '403 nothing_to_use', challenge: expect.stringContaining('error="insufficient_scope"') })
  expect(content).toMatchObject([{ text: expect.stringContaining('by id_token') }])
  const answered = [{ text: expect.stringContaining('by sign-in') as string }]
  expect(bySignIn).toMatchObject({ contents: [answered, answered], refreshes: 1 })
  expect(refusals.map(({ answer }) => answer)).toEqual(['401 token_other_audience', '401 token_other_issuer', '401 token_expired', '200'])
  for (const { challenge } of refusals.slice(0, 3)) expect(challenge).toMatch(/error="invalid_token", error_description="The token .+"$/)
  expect(Math.max(...latencies)).toBeLessThan(5_000)
  expect(signedOut.answer).toBe('401 token_signed_out')
  const right = ['200', '401 token_signed_out', '403 nothing_to_use']
  expect([cutOff, restarted]).toEqual([right, right])
}, 180_000)
