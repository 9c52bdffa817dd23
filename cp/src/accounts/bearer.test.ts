import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { testApp, type TestApp } from '../../test/app.ts'
import { testIssuer, type TestIssuer } from '../../test/issuer.ts'

let test: TestApp
let issuer: TestIssuer
let clock: ReturnType<typeof fakeClock>
beforeEach(async () => {
  clock = fakeClock()
  issuer = await testIssuer(() => clock.now())
  test = await testApp({ clock, change: (config) => ({ ...config, authMode: 'oidc', oidc: issuer.settings() }) })
})
afterEach(async () => {
  await test.close()
  await issuer.stop()
})

const me = (token: string) => test.call('GET', '/v1/auth/me', undefined, { authorization: `Bearer ${token}` })
const verdict = async (token: string) => {
  const { status, body } = await me(token)
  return status === 200 ? body.subject : `${status} ${body.reason}`
}

describe('an id_token as bearer', () => {
  it('says who somebody is, and by their groups whether they are an admin', async () => {
    const { body } = await me(await issuer.token({ groups: ['platform', 'dev'], name: 'Ada' }))
    expect(body).toMatchObject({ kind: 'user', email: 'ada@example.com', groups: ['platform', 'dev'], platformAdmin: true })
    expect((await me(await issuer.token({ groups: ['dev'] }))).body).toMatchObject({ platformAdmin: false, groups: ['dev'] })
    expect((await me(await issuer.token({ groups: 'platform' }))).body).toMatchObject({ platformAdmin: false, groups: [] })
  })

  it('must be of this issuer, for this audience, and say for whom where there are several', async () => {
    expect(await verdict(await issuer.token({ iss: `${issuer.url}/` }))).toBe('401 token_other_issuer')
    expect(await verdict(await issuer.token({ aud: 'elsewhere' }))).toBe('401 token_other_audience')
    expect(await verdict(await issuer.token({ aud: [] }))).toBe('401 token_other_audience')
    expect(await verdict(await issuer.token({ aud: ['mcpg', 'elsewhere'] }))).toBe('401 token_other_party')
    expect(await verdict(await issuer.token({ aud: ['mcpg', 'elsewhere'], azp: 'elsewhere' }))).toBe('401 token_other_party')
    expect(await verdict(await issuer.token({ azp: 'elsewhere' }))).toBe('401 token_other_party')
    expect(await verdict(await issuer.token({ aud: ['mcpg', 'elsewhere'], azp: 'mcpg-ctl' }))).toBe('ada@example.com')
    expect(await verdict(await issuer.token({ sub: undefined }))).toBe('401 token_incomplete')
    expect(await verdict(await issuer.token({ exp: undefined }))).toBe('401 token_incomplete')
  })

  it('may be off by a minute, and not by more', async () => {
    expect(await verdict(await issuer.token({}, { atSeconds: -3659 }))).toBe('ada@example.com')
    expect(await verdict(await issuer.token({}, { atSeconds: -3661 }))).toBe('401 token_expired')
    expect(await verdict(await issuer.token({}, { atSeconds: 60 }))).toBe('ada@example.com')
    expect(await verdict(await issuer.token({}, { atSeconds: 61 }))).toBe('401 token_not_yet_valid')
    expect(await verdict(await issuer.token({ nbf: clock.now() / 1000 + 61 }))).toBe('401 token_not_yet_valid')
    const { body } = await me(await issuer.token({}, { atSeconds: 3600 }))
    expect(body).toMatchObject({ detail: expect.stringContaining('clocks'), hint: expect.stringContaining('synchronize') })
  })

  it('with a new key makes the keys be fetched again, once, however many come; made-up keys cost one fetch in five seconds', async () => {
    await me(await issuer.token())
    expect(issuer.keyFetches()).toBe(1)
    issuer.rotate()
    const fresh = await issuer.token()
    expect(await Promise.all([verdict(fresh), verdict(fresh), verdict(fresh)])).toEqual(Array.from({ length: 3 }, () => 'ada@example.com'))
    expect(issuer.keyFetches()).toBe(2)
    for (let guess = 0; guess < 5; guess++)
      expect(await verdict(await issuer.token({}, { key: issuer.newKey() }))).toBe('401 token_signature')
    expect(issuer.keyFetches()).toBe(2)
    await clock.advance(5_000)
    issuer.rotate()
    expect(await verdict(await issuer.token())).toBe('ada@example.com')
    expect(issuer.keyFetches()).toBe(3)
  })

  it('is nothing without a signature of the issuer', async () => {
    const [header, payload, signature] = (await issuer.token()).split('.') as [string, string, string]
    const changed = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'eve' })).toString(
      'base64url',
    )
    expect(await verdict(`${header}.${changed}.${signature}`)).toBe('401 token_signature')
    const unsigned = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
    expect(await verdict(`${unsigned}.${payload}.`)).toBe('401 token_malformed')
    const shared = Buffer.from(JSON.stringify({ alg: 'HS256' })).toString('base64url')
    const hmac = createHmac('sha256', issuer.url).update(`${shared}.${payload}`).digest('base64url')
    expect(await verdict(`${shared}.${payload}.${hmac}`)).toBe('401 token_malformed')
    expect(await verdict('a.b.c')).toBe('401 token_malformed')
    expect(await verdict('opaque')).toBe('401 token_unknown')
  })

  it('is linked by its subject: the e-mail may change, and does not make two subjects one', async () => {
    const first = await me(await issuer.token({ email: 'Ada@Example.com' }))
    expect(first.body.email).toBe('ada@example.com')
    const second = await me(await issuer.token({ sub: 'other-ada', email: 'ADA@example.com ' }))
    expect([second.status, second.body.reason]).toEqual([403, 'email_taken'])
    expect(second.body.hint).toContain('not joined by e-mail')
    expect((await me(await issuer.token({ email: 'ada@new.example' }))).body.email).toBe('ada@new.example')
    expect((await me(await issuer.token({ sub: 'other-ada' }))).body.email).toBe('ada@example.com')
    expect(await verdict(await issuer.token({ sub: 'no-mail', email: undefined }))).toBe('403 email_missing')
    expect(await verdict(await issuer.token({ sub: 'eve', email: 'eve@example.com', email_verified: false }))).toBe('403 email_unverified')
    expect(await test.app.db.read.account.count()).toBe(2)
  })

  it('makes one account of one subject, however many requests bring it first', async () => {
    const token = await issuer.token({ sub: 'bob', email: 'bob@example.com' })
    expect(await Promise.all(Array.from({ length: 8 }, () => verdict(token)))).toEqual(Array.from({ length: 8 }, () => 'bob@example.com'))
    expect(await test.app.db.read.account.count()).toBe(1)
  })
})

describe('an issuer that is down', () => {
  it('at boot keeps nothing from starting, is told in words, and counts again once it answers', async () => {
    await issuer.stop()
    const late = await testApp({ clock, change: (config) => ({ ...config, authMode: 'oidc', oidc: issuer.settings() }) })
    try {
      const token = await issuer.token()
      const ask = () => late.call('GET', '/v1/auth/me', undefined, { authorization: `Bearer ${token}` })
      const down = await ask()
      expect([down.status, down.body.reason, down.body.detail]).toEqual([503, 'issuer_unreachable', expect.stringContaining(issuer.url)])
      expect((await late.call('GET', '/v1/auth/status')).status).toBe(200)
      await issuer.start()
      expect((await ask()).status).toBe(200)
    } finally {
      await late.close()
    }
  })

  it('after its keys were fetched keeps nobody out whose token holds', async () => {
    const token = await issuer.token()
    await me(token)
    await issuer.stop()
    expect(await verdict(token)).toBe('ada@example.com')
  })
})
