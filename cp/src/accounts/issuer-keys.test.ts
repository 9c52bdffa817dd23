import { afterEach, beforeEach, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { testApp, type TestApp } from '../../test/app.ts'
import { testIssuer, type TestIssuer } from '../../test/issuer.ts'
import { issuerKeys } from './issuer-keys.ts'
import { openIdIssuer } from './issuer.ts'

const log = createLog({ level: 'silent', json: true })
let test: TestApp
let issuer: TestIssuer
let clock: ReturnType<typeof fakeClock>
beforeEach(async () => {
  clock = fakeClock()
  test = await testApp({ clock })
  issuer = await testIssuer(() => clock.now())
})
afterEach(async () => {
  await issuer.stop()
  await test.close()
})

function keysOf(settings = issuer.settings()) {
  const keys = issuerKeys({ db: test.app.db, issuer: openIdIssuer({ settings, clock, log }), clock, log })
  let changes = 0
  keys.onChange(() => changes++)
  const kids = async () => (await keys.known())?.keys.map(({ kid }) => kid) ?? null
  return { ...keys, kids, changes: () => changes }
}
const minuteLater = async <Found>(look: () => Found) => {
  await clock.advance(60_000)
  return look()
}
const begin = async ({ part }: ReturnType<typeof keysOf>) => part.start(() => {})

it('are looked at once a minute, and told when they are others', async () => {
  const keys = keysOf()
  expect(await keys.known()).toBeNull()
  await begin(keys)
  await clock.advance(0)
  await expect.poll(keys.changes).toBe(1)
  const [first] = (await keys.kids())!
  issuer.rotate()
  await expect.poll(() => minuteLater(async () => (await keys.kids())![0])).not.toBe(first)
  expect(keys.changes()).toBe(2)
  const fetches = issuer.keyFetches()
  await expect.poll(() => minuteLater(issuer.keyFetches)).toBeGreaterThan(fetches)
  expect(keys.changes()).toBe(2)
  await keys.part.stop()
})

it('are looked at when one is wanted that is not among them, once in five seconds, and for no other issuer', async () => {
  const keys = keysOf()
  await begin(keys)
  await clock.advance(0)
  await expect.poll(keys.changes).toBe(1)
  const [first] = (await keys.kids())!
  issuer.rotate()
  await keys.wanted(issuer.url)
  await clock.advance(4_999)
  expect(await keys.kids()).toEqual([first])
  await clock.advance(1)
  await keys.wanted('https://other.example')
  await clock.advance(1)
  const fetches = issuer.keyFetches()
  await Promise.all([keys.wanted(issuer.url), keys.wanted(issuer.url)])
  await clock.advance(0)
  await expect.poll(keys.changes).toBe(2)
  expect((await keys.kids())![0]).not.toBe(first)
  expect(issuer.keyFetches()).toBe(fetches + 1)
  await keys.part.stop()
})

it('outlive the issuer and the program, but no other issuer', async () => {
  const keys = keysOf()
  await begin(keys)
  await clock.advance(0)
  await expect.poll(keys.changes).toBe(1)
  const kids = await keys.kids()
  await issuer.stop()
  await clock.advance(60_000)
  expect(await keys.kids()).toEqual(kids)
  await keys.part.stop()
  expect(await keysOf().kids()).toEqual(kids)
  expect(await keysOf(issuer.settings({ issuer: 'https://other.example' })).kids()).toBeNull()
})

it('are public ones that verify, whatever else the issuer shows', async () => {
  const keys = keysOf()
  issuer.publishKeys([
    { kty: 'oct', k: 'c2VjcmV0', kid: 'shared' },
    { kty: 'RSA', n: 'AQAB', e: 'AQAB', use: 'enc', kid: 'seals' },
    { kty: 'RSA', n: 'AQAB', e: 'AQAB', d: 'secret', kid: 'leaks', key_ops: ['verify'] },
  ])
  await begin(keys)
  await clock.advance(0)
  await expect.poll(async () => (await keys.known())?.keys.length).toBe(2)
  expect((await keys.known())!.keys).toContainEqual({ kty: 'RSA', kid: 'leaks', n: 'AQAB', e: 'AQAB' })
  await keys.part.stop()
})
