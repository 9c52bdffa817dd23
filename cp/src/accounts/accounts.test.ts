import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { testApp, type Answer, type TestApp } from '../../test/app.ts'

const ada = { email: 'ada@example.com', password: 'correct horse battery' }
const days = 86_400_000

let test: TestApp
let clock: ReturnType<typeof fakeClock>
beforeEach(async () => {
  clock = fakeClock()
  test = await testApp({ clock, change: (config) => ({ ...config, authMode: 'local' }) })
})
afterEach(() => test.close())

const login = (body: object = ada) => test.call('POST', '/v1/auth/login', body)
const me = (cookie: string) => test.call('GET', '/v1/auth/me', undefined, { cookie })
/** Name and value of the cookie that an answer sets. */
const cookieOf = ({ headers }: Answer): string => String(headers['set-cookie']).split(';')[0]!

async function setUp(): Promise<string> {
  const setupCode = await test.app.firstUserCode()
  const answer = await test.call('POST', '/v1/auth/bootstrap', { setupCode, ...ada })
  expect(answer.status).toBe(201)
  return cookieOf(answer)
}

describe('the first user', () => {
  it('is created with the code of the state dir, is a platform admin, and ends the code', async () => {
    expect((await test.call('GET', '/v1/auth/status')).body).toEqual({ mode: 'local', needsSetup: true })
    const setupCode = await test.app.firstUserCode()
    const file = join(test.stateDir, 'setup-code')
    expect(readFileSync(file, 'utf8').trim()).toBe(setupCode)
    expect(statSync(file).mode & 0o777).toBe(0o600)

    const answer = await test.call('POST', '/v1/auth/bootstrap', { setupCode, ...ada, email: ' Ada@Example.com ' })
    expect(answer.body).toMatchObject({ kind: 'user', email: 'ada@example.com', platformAdmin: true })
    expect(() => statSync(file)).toThrow('ENOENT')
    expect((await test.call('GET', '/v1/auth/status')).body).toEqual({ mode: 'local', needsSetup: false })
    expect((await test.call('GET', '/v1/orgs', undefined, { cookie: cookieOf(answer) })).status).toBe(200)
  })

  it('is refused with another code and created once, however many ask at the same time', async () => {
    await test.app.firstUserCode()
    const wrong = await test.call('POST', '/v1/auth/bootstrap', { setupCode: 'guess', ...ada })
    expect([wrong.status, wrong.body.reason]).toEqual([403, 'setup_code_wrong'])
    const setupCode = await test.app.firstUserCode()
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((name) => test.call('POST', '/v1/auth/bootstrap', { setupCode, ...ada, email: `${name}@example.com` })),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409])
    expect((await test.call('POST', '/v1/auth/bootstrap', { setupCode, ...ada })).body.reason).toBe('already_set_up')
  })

  it('keeps its code over a restart, until it was used', async () => {
    expect(await test.app.firstUserCode()).toBe(await test.app.firstUserCode())
    await setUp()
    expect(await test.app.firstUserCode()).toBe(null)
  })

  it('hears everything that is wrong with its data at once', async () => {
    const { status, body } = await test.call('POST', '/v1/auth/bootstrap', { setupCode: 'x', email: 'nobody', password: 'short' })
    expect(status).toBe(400)
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/email', '/password'])
  })
})

describe('signing in', () => {
  it('gives a cookie that scripts cannot read, and another one each time', async () => {
    const first = await setUp()
    const again = await test.call('POST', '/v1/auth/login', { ...ada, email: 'ADA@example.com' }, { cookie: first })
    expect(String(again.headers['set-cookie'])).toMatch(/^mcpg_sid=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/)
    expect(cookieOf(again)).not.toBe(first)
    expect((await me(cookieOf(again))).body).toMatchObject({ email: 'ada@example.com', session: { expiresAt: '2026-01-31T00:00:00.000Z' } })
  })

  it('keeps neither password nor session in readable form', async () => {
    const cookie = await setUp()
    const [account] = await test.app.db.read.account.findMany()
    expect(account!.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(JSON.stringify(await test.app.db.read.session.findMany())).not.toContain(cookie.split('=')[1])
  })

  it('answers an unknown e-mail as it answers a wrong password', async () => {
    await setUp()
    const { requestId: _one, ...unknown } = (await login({ ...ada, email: 'eve@example.com' })).body
    const { requestId: _other, ...wrong } = (await login({ ...ada, password: 'wrong' })).body
    expect(unknown).toEqual(wrong)
    expect(unknown).toMatchObject({ status: 401, reason: 'wrong_credentials' })
  })

  it('stops guessing after ten failures for a quarter of an hour, for that account and address only', async () => {
    await setUp()
    for (let failure = 0; failure < 10; failure++) expect((await login({ ...ada, password: 'wrong' })).status).toBe(401)
    const blocked = await login()
    expect([blocked.status, blocked.headers['retry-after']]).toEqual([429, '900'])
    expect((await login({ ...ada, email: 'eve@example.com' })).status).toBe(401)
    const elsewhere = await test.app.http.inject({ method: 'POST', url: '/v1/auth/login', payload: ada, remoteAddress: '10.1.2.3' })
    expect(elsewhere.statusCode).toBe(200)
    await clock.advance(900_000)
    expect((await login()).status).toBe(200)
  })

  it('counts what is tried at the same time', async () => {
    await setUp()
    const answers = await Promise.all(Array.from({ length: 40 }, () => login({ ...ada, password: 'wrong' })))
    const judged = answers.filter(({ status }) => status === 401)
    expect(judged.length).toBeLessThanOrEqual(10)
  })

  it('writes every sign-in and every refusal to the trail, and no password', async () => {
    await setUp()
    await login({ ...ada, password: 'wrong-and-secret' })
    const rows = await test.app.db.read.audit.findMany({ orderBy: { at: 'asc' } })
    expect(rows.map(({ action }) => action).toSorted()).toEqual(['account.bootstrap', 'session.create', 'session.refuse', 'user.create'])
    expect(JSON.stringify(rows)).not.toContain('wrong-and-secret')
  })

  it('is not asked for where the mode is none', async () => {
    const open = await testApp()
    try {
      const { status, body } = await open.call('POST', '/v1/auth/login', ada)
      expect([status, body.reason]).toEqual([409, 'no_passwords_here'])
      expect((await open.call('GET', '/v1/auth/me')).body).toMatchObject({ kind: 'local', subject: 'local', platformAdmin: true })
    } finally {
      await open.close()
    }
  })
})

describe('changing the password', () => {
  const next = 'another horse battery'
  const change = (cookie: string, body: object = { password: ada.password, newPassword: next }) =>
    test.call('POST', '/v1/auth/password', body, { cookie, 'x-mcpg-request': '1' })

  it('ends every session of the user, begins a new one, and the password of before opens nothing', async () => {
    const [here, elsewhere] = [await setUp(), cookieOf(await login())]
    const changed = await change(here)
    expect([changed.status, changed.body.email]).toEqual([200, 'ada@example.com'])
    expect([(await me(here)).status, (await me(elsewhere)).status, (await me(cookieOf(changed))).status]).toEqual([401, 401, 200])
    expect([(await login()).status, (await login({ ...ada, password: next })).status]).toEqual([401, 200])
    const rows = await test.app.db.read.audit.findMany({ where: { action: 'account.change-password' } })
    expect(rows.length).toBe(1)
    expect(JSON.stringify(rows)).not.toContain(next)
  })

  it('needs the password of today, counts guesses of it with those at the door, and takes no short or same one', async () => {
    const cookie = await setUp()
    const wrong = await change(cookie, { password: 'wrong', newPassword: next })
    expect([wrong.status, wrong.body.reason]).toEqual([403, 'wrong_password'])
    for (let failure = 1; failure < 10; failure++) await change(cookie, { password: 'wrong', newPassword: next })
    expect([(await change(cookie)).status, (await login()).status]).toEqual([429, 429])
    const bad = await change(cookie, { password: ada.password, newPassword: 'short' })
    expect([bad.status, bad.body.errors[0].pointer]).toEqual([400, '/newPassword'])
    const same = await change(cookie, { password: ada.password, newPassword: ada.password })
    expect([same.status, same.body.errors[0]]).toEqual([400, { pointer: '/newPassword', detail: 'must be another one' }])
  })

  it('of two at once lets one win', async () => {
    const cookies = [await setUp(), cookieOf(await login())]
    const answers = await Promise.all(
      cookies.map((cookie, index) => change(cookie, { password: ada.password, newPassword: `${next} ${index}` })),
    )
    expect(answers.filter(({ status }) => status === 200).length).toBe(1)
  })
})

describe('a session', () => {
  it('ends after seven days without a request and after thirty days with them', async () => {
    const cookie = await setUp()
    const idle = cookieOf(await login())
    for (let day = 0; day < 28; day += 4) {
      await clock.advance(4 * days)
      expect((await me(cookie)).status, `day ${day + 4}`).toBe(200)
    }
    expect((await me(idle)).status).toBe(401)
    await clock.advance(2 * days)
    expect((await me(cookie)).status).toBe(401)
  })

  it('is needed beside X-Mcpg-Request for a write, and nothing but itself for a read', async () => {
    const cookie = await setUp()
    const write = (headers: object) => test.call('POST', '/v1/orgs', { name: 'acme' }, { cookie, ...headers })
    const refused = await write({})
    expect([refused.status, refused.body.reason]).toEqual([403, 'csrf_header_missing'])
    expect((await write({ 'x-mcpg-request': '1' })).status).toBe(201)
    expect((await me(cookie)).status).toBe(200)
  })

  it('ends alone at sign-out, with all others at sign-out everywhere', async () => {
    const [one, two, three] = [await setUp(), cookieOf(await login()), cookieOf(await login())]
    const logout = (cookie: string, body?: object) => test.call('POST', '/v1/auth/logout', body, { cookie, 'x-mcpg-request': '1' })
    const answer = await logout(one)
    expect([answer.status, answer.headers['set-cookie']]).toEqual([204, 'mcpg_sid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax'])
    expect([(await me(one)).status, (await me(two)).status]).toEqual([401, 200])
    expect((await logout(two, { everywhere: true })).status).toBe(204)
    expect((await me(three)).status).toBe(401)
  })

  it('is nothing that can be made up, and a bearer is not taken for one', async () => {
    const cookie = await setUp()
    expect((await me('mcpg_sid=made-up')).body.reason).toBe('sign_in_required')
    const bearer = await test.call('GET', '/v1/auth/me', undefined, { authorization: `Bearer ${cookie.split('=')[1]}` })
    expect([bearer.status, bearer.body.reason]).toEqual([401, 'token_unknown'])
  })

  it('of somebody who is no platform admin shows who they are and nothing else', async () => {
    const cookie = await setUp()
    await test.app.db.write((tx) => tx.account.updateMany({ data: { platformAdmin: false } }))
    expect((await me(cookie)).body).toMatchObject({ platformAdmin: false })
    expect((await test.call('GET', '/v1/orgs', undefined, { cookie })).body.reason).toBe('not_allowed')
  })
})
