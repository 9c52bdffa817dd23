import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '@mcpg/core/clock'
import { testIssuer, type TestIssuer } from '../../test/issuer.ts'
import { idTokens } from './id-token.ts'
import { openIdIssuer } from './issuer.ts'

let issuer: TestIssuer
beforeEach(async () => void (issuer = await testIssuer(() => Date.now())))
afterEach(() => issuer.stop())

const verify = async () => {
  const known = openIdIssuer({ settings: issuer.settings(), clock: systemClock, log: { warn: () => {} } })
  return await idTokens({ issuer: known, clock: systemClock }).verify(await issuer.token())
}

it('is believed by its documents', async () => {
  expect(await verify()).toMatchObject({ sub: 'ada', email: 'ada@example.com' })
})

it.each([
  ['keys inside another network', { jwks_uri: 'https://169.254.169.254/keys' }],
  ['keys by plain http', { jwks_uri: 'http://keys.example/keys' }],
  ['another issuer', { issuer: 'https://issuer.example' }],
  ['no keys', { jwks_uri: undefined }],
])('is not followed where its documents name %s', async (_what, change) => {
  issuer.publish(change)
  await expect(verify()).rejects.toMatchObject({ code: 'unavailable', reason: 'issuer_unreachable' })
})
