import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { licenseHeader } from '@mcpg/proto/rest/auth'
import { testApp, type TestApp } from '../../test/app.ts'

const vendor = generateKeyPairSync('ed25519')
const clock = fakeClock()
const year = 365 * 86_400

let test: TestApp
beforeEach(async () => void (test = await testApp({ clock, change: (config) => ({ ...config, licensePublicKey: vendor.publicKey }) })))
afterEach(() => test.close())

const license = (key: KeyObject, { alg = 'EdDSA', seconds = year } = {}) =>
  new SignJWT({ sub: 'acme' })
    .setProtectedHeader({ alg })
    .setExpirationTime(Math.floor(clock.now() / 1000) + seconds)
    .sign(key)
const judged = async (shown: string, on = test) => (await on.call('GET', '/v1/auth/me', undefined, { [licenseHeader]: shown })).body.license

it('says of a license whether it holds, until when, and why not', async () => {
  const valid = await judged(await license(vendor.privateKey))
  expect(valid).toEqual({
    state: 'valid',
    subject: 'acme',
    expiresAt: new Date(Math.floor(clock.now() / 1000 + year) * 1000).toISOString(),
  })
  expect(await judged(await license(vendor.privateKey, { seconds: -61 }))).toMatchObject({ state: 'expired', subject: 'acme' })
  expect(await judged(await license(generateKeyPairSync('ed25519').privateKey))).toEqual({
    state: 'not_valid',
    problem: expect.stringContaining('another key'),
  })
  const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  expect((await judged(await license(rsa, { alg: 'RS256' }))).problem).toBe('it is not signed with EdDSA')
  expect((await judged('not a license')).problem).toBe('it is no JWT')
})

it('judges nothing without a key, and says nothing without a license', async () => {
  const open = await testApp()
  expect(await judged(await license(vendor.privateKey), open)).toEqual({ state: 'not_checked' })
  expect(await open.call('GET', '/v1/auth/me')).toMatchObject({ status: 200, body: { kind: 'local' } })
  expect((await open.call('GET', '/v1/auth/me')).body).not.toHaveProperty('license')
  await open.close()
})
