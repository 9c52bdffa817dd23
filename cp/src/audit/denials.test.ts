import { createGrpcTransport } from '@connectrpc/connect-node'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import type { AuditEntry } from '@mcpg/proto/rest/audit'
import { testApp, type TestApp } from '../../test/app.ts'
import { fakeAgent } from '../../test/fake-agent.ts'
import { environment, testFleet, until, type TestFleet } from '../../test/fleet.ts'
import { newIdentity } from '../../test/identity.ts'
import { gatewayCaller } from '../access/caller.ts'
import { auditTrail } from './audit.ts'
import { denialBook } from './denials.ts'

const ada = { email: 'ada@example.com', password: 'correct horse battery' }

describe('a denial', () => {
  let test: TestApp
  let clock: ReturnType<typeof fakeClock>
  let cookie: string
  beforeEach(async () => {
    clock = fakeClock()
    test = await testApp({ clock, change: (config) => ({ ...config, authMode: 'local' }) })
    const setupCode = await test.app.firstUserCode()
    const { headers } = await test.call('POST', '/v1/auth/bootstrap', { setupCode, ...ada })
    cookie = String(headers['set-cookie']).split(';')[0]!
  })
  afterEach(() => test.close())

  const rows = async () => {
    await clock.advance(100)
    return await until(async () => {
      await clock.advance(100)
      const found = await test.app.db.read.audit.findMany({ where: { action: 'access.deny' }, orderBy: [{ at: 'asc' }, { id: 'asc' }] })
      return found.length > 0 && found.map((row) => ({ ...row, detail: JSON.parse(row.detail!) as Record<string, unknown> }))
    })
  }
  const withoutRights = () => test.app.db.write((tx) => tx.account.updateMany({ data: { platformAdmin: false } }))

  it('of somebody who is known says who, what, where from and in which request', async () => {
    await withoutRights()
    const path = '/v1/orgs/default/workspaces/default/secrets/database'
    const { status, headers } = await test.call('DELETE', path, undefined, { cookie, 'x-mcpg-request': '1' })
    expect(status).toBe(403)
    expect(await rows()).toMatchObject([
      {
        org: 'default',
        workspace: 'default',
        actor: ada.email,
        kind: 'Secret',
        name: 'database',
        source: '127.0.0.1',
        requestId: headers['x-request-id'],
        detail: { operation: 'DELETE /v1/orgs/:org/workspaces/:workspace/secrets/:name', reason: 'not_allowed' },
      },
    ])
  })

  it.each([
    ['a bearer that nobody was given', { authorization: 'Bearer nonsense' }, 'token_unknown'],
    ['an Authorization header without a form', { authorization: 'Basic eA==' }, 'authorization_malformed'],
    ['a foreign page', { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' }, 'origin_not_allowed'],
  ])('of %s is in the trail of the platform, and the token is nowhere', async (_, headers, reason) => {
    const { status, headers: answered } = await test.call('POST', '/v1/orgs/default/workspaces', { name: 'x' }, headers)
    expect([401, 403]).toContain(status)
    const told = await rows()
    expect(told).toMatchObject([{ org: null, actor: 'anonymous', requestId: answered['x-request-id'], detail: { reason } }])
    expect(JSON.stringify(told)).not.toContain('nonsense')
  })

  it('of a token that enrolls nobody, and of guessing that was slowed down, is there too', async () => {
    await test.call('GET', '/enroll/guessed-token')
    for (let attempt = 0; attempt < 12; attempt++) await test.call('POST', '/v1/auth/login', { ...ada, password: 'wrong' })
    const told = await until(async () => (await rows()).length === 2 && rows())
    expect(told.map(({ detail }) => [detail['operation'], detail['reason']]).toSorted()).toEqual([
      ['GET /enroll/:token', 'token_unknown'],
      ['POST /v1/auth/login', 'too_many_attempts'],
    ])
    expect(JSON.stringify(told)).not.toContain('guessed')
    const refused = await test.app.db.read.audit.count({ where: { action: 'session.refuse', name: ada.email } })
    expect(refused).toBe(10)
  })

  it('is none where somebody only is not signed in yet', async () => {
    expect((await test.call('GET', '/v1/orgs')).status).toBe(401)
    await test.call('GET', '/v1/orgs', undefined, { authorization: 'Bearer nonsense' })
    expect((await rows()).map(({ detail }) => detail['reason'])).toEqual(['token_unknown'])
  })

  it('in an organization that somebody made up is in the trail of the platform', async () => {
    await withoutRights()
    await test.call('POST', '/v1/orgs/made-up/workspaces', { name: 'x' }, { cookie, 'x-mcpg-request': '1' })
    expect(await rows()).toMatchObject([{ org: null, actor: ada.email, detail: { org: 'made-up' } }])
  })

  it('that comes again and again is two rows a minute, the second with their number', async () => {
    for (let again = 0; again < 300; again++) await test.call('GET', '/v1/orgs', undefined, { authorization: `Bearer guess-${again}` })
    expect(await rows()).toHaveLength(1)
    await clock.advance(60_000)
    const told = await until(async () => {
      const found = await rows()
      return found.length === 2 && found
    })
    expect(told[1]!.detail).toMatchObject({ reason: 'token_unknown', repeated: 299, lastAt: expect.any(String) })
  })

  it('of a flood of different ones costs a bounded number of rows, whatever they name', async () => {
    const { db } = test.app
    const lost: unknown[] = []
    const book = denialBook({
      db,
      audit: auditTrail({ db, clock }),
      clock,
      log: { warn: (about: unknown) => void lost.push(about) } as never,
    })
    for (let one = 0; one < 50_000; one++) {
      const caller = gatewayCaller(`gw_${one % 400}`, `10.0.${one % 400}.1`)
      book.note({ caller, operation: `GET /${one}`, reason: 'not_allowed', target: { org: 'default', name: `n-${one}` } })
    }
    await book.part.stop()
    const found = await db.read.audit.findMany({ where: { action: 'access.deny' } })
    expect(found.length).toBeGreaterThan(100)
    expect(found.length).toBeLessThanOrEqual(2_002)
    const told = found.map(({ detail }) => (JSON.parse(detail!) as { repeated?: number }).repeated ?? 1)
    expect(told.reduce((sum, one) => sum + one)).toBe(50_000)
    expect(lost).toEqual([])
  })
})

describe('a refused RPC', () => {
  let fleet: TestFleet
  beforeAll(async () => {
    fleet = await testFleet()
  })
  afterAll(() => fleet.close())
  const denials = async (query = '') =>
    (await fleet.call('GET', `/v1/orgs/default/audit?action=access.deny${query}`)).body.items as AuditEntry[]

  it('of a gateway whose credential was revoked is in the trail of its organization', async () => {
    const { token } = await fleet.createEnrollment()
    const { body } = await fleet.redeem(token, await newIdentity(), 'revoked')
    await fleet.call('POST', `${environment}/gateways/revoked/revoke`)
    const transport = createGrpcTransport({ baseUrl: fleet.app().fleet.grpcUrl() })
    const agent = fakeAgent({ transport, bearer: body.credential.bearerToken, instanceUid: 'revoked' })
    agent.connect()
    await agent.waitFor(() => agent.end())
    const [entry] = await until(async () => (await denials()).length === 1 && denials())
    expect(entry).toMatchObject({
      actor: body.gatewayId,
      actorKind: 'gateway',
      actorName: 'revoked',
      kind: 'Gateway',
      name: 'revoked',
      source: '127.0.0.1',
      detail: { operation: '/mcpg.fleet.v1.GatewayService/Connect', reason: 'credential_revoked' },
    })
  })

  it('of a stranger is in the trail of the platform', async () => {
    const transport = createGrpcTransport({ baseUrl: fleet.app().fleet.grpcUrl() })
    const agent = fakeAgent({ transport, bearer: 'stolen', instanceUid: 'nobody' })
    agent.connect()
    await agent.waitFor(() => agent.end())
    const { body } = await until(async () => {
      const answer = await fleet.call('GET', '/v1/admin/audit?action=access.deny')
      return answer.body.items.length > 0 && answer
    })
    expect(body.items).toMatchObject([{ actor: 'anonymous', detail: { reason: 'credential_unknown' } }])
    expect(JSON.stringify(body)).not.toContain('stolen')
  })
})
