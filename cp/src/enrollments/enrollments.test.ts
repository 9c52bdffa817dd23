import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { enrollmentKind } from '@mcpg/proto/kinds/enrollment'
import { enrollmentTokenPattern } from '@mcpg/proto/rest/enrollments'
import { environment, testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'
import { enrollRequest, newIdentity, type Identity } from '../../test/identity.ts'
import { redemptionLimits } from './rate-limits.ts'

const clock = fakeClock(Date.now())
let fleet: TestFleet
let identities: Identity[]

beforeAll(async () => {
  fleet = await testFleet({ clock })
  identities = await Promise.all(Array.from({ length: 20 }, newIdentity))
})
afterAll(() => fleet.close())

const one = () => identities[0]!
const another = () => identities[1]!
let serial = 0
const uid = () => `host-${++serial}`

describe('creating an enrollment', () => {
  it('hands the token out once, in the URL, with the command to run', async () => {
    const created = await fleet.createEnrollment({ labels: { role: 'edge' } })
    expect(created.token).toMatch(new RegExp(`^${enrollmentTokenPattern.source}$`))
    expect(created.command).toBe(`mcpg-ctl gateway --enrollment-url '${created.url}'`)
    const listed = await fleet.call('GET', `${environment}/enrollments`)
    expect(listed.body.items.find((item: { metadata: { name: string } }) => item.metadata.name === created.name)).toMatchObject({
      metadata: { labels: { role: 'edge' } },
      spec: { maxUses: 1 },
      status: { state: 'open', usedCount: 0, redemptions: [] },
    })
    expect(JSON.stringify(listed.body)).not.toContain(created.token)
  })

  it('hands the same token out again for the same Idempotency-Key, from memory only', async () => {
    const create = (body: object) => fleet.call('POST', `${environment}/enrollments`, body, { 'idempotency-key': 'again' })
    const [first, second] = await Promise.all([create({ ttl: '5m' }), create({ ttl: '5m' })])
    expect([first.status, second.status]).toEqual([201, 201])
    expect(second.body).toEqual(first.body)
    expect(await create({ ttl: '6m' })).toMatchObject({ status: 422, body: { reason: 'idempotency_key_reused' } })
    expect(await fleet.db().read.enrollment.count({ where: { name: first.body.name } })).toBe(1)
    expect(await fleet.db().read.idempotencyKey.count()).toBe(0)
  })

  it('stores no token, only its hash', async () => {
    const { token } = await fleet.createEnrollment()
    const rows = JSON.stringify([await fleet.db().read.enrollment.findMany(), await fleet.db().read.audit.findMany()])
    expect(rows).not.toContain(token)
  })

  it('refuses an environment that does not exist, and a name that a gateway has', async () => {
    const elsewhere = await fleet.call('POST', `${workspace}/environments/nowhere/enrollments`, {})
    expect(elsewhere).toMatchObject({
      status: 404,
      body: { reason: 'environment_unknown', detail: 'There is no environment default/default/nowhere.' },
    })
    const { token } = await fleet.createEnrollment({ name: 'taken' })
    expect((await fleet.redeem(token, one(), uid())).body.name).toBe('taken')
    const again = await fleet.call('POST', `${environment}/enrollments`, { name: 'taken' })
    expect(again).toMatchObject({ status: 409, body: { reason: 'gateway_name_in_use' } })
  })
})

describe('describing a token', () => {
  it.each(['GET', 'HEAD'] as const)('consumes nothing by %s', async (method) => {
    const { token, name } = await fleet.createEnrollment()
    const answer = await fleet.call(method, `/enroll/${token}`)
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
    if (method === 'GET')
      expect(answer.body).toMatchObject({
        allowedCredentialKinds: ['CREDENTIAL_KIND_BEARER'],
        controlPlaneEndpoints: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)],
      })
    expect(await usesOf(name)).toBe(0)
  })
})

describe('redeeming a token', () => {
  it('answers with identity, bearer, endpoints and signing key, and creates the gateway with the labels of the enrollment', async () => {
    const { token } = await fleet.createEnrollment({ labels: { role: 'edge' } })
    const instanceUid = uid()
    const { status, headers, body } = await fleet.redeem(token, one(), instanceUid)
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
    expect(body).toMatchObject({
      gatewayId: expect.stringMatching(/^gw_/),
      org: 'default',
      workspace: 'default',
      environment: 'default',
      name: instanceUid,
    })
    expect(Buffer.from(body.configSigningKeys[0], 'base64')).toHaveLength(32)
    expect(Buffer.from(body.credential.bearerToken, 'base64url')).toHaveLength(32)
    expect(await fleet.gateway(instanceUid)).toMatchObject({
      metadata: { uid: body.gatewayId, labels: { role: 'edge' } },
      spec: { origin: 'enrolled', instanceUid },
      status: { connection: 'never_seen', health: 'unknown' },
    })
    const rows = JSON.stringify(await fleet.db().read.gateway.findMany(), (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    expect(rows).not.toContain(body.credential.bearerToken)
  })

  it('lets exactly one of 20 concurrent redeemers win, 20 times in a row', async () => {
    for (let round = 0; round < 20; round++) {
      const { token, name } = await fleet.createEnrollment()
      const answers = await Promise.all(
        identities.map((identity) => fleet.redeem(token, { ...identity, idempotencyKey: new Uint8Array(randomBytes(16)) }, uid())),
      )
      expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
      expect(new Set(answers.filter((answer) => answer.status !== 200).map((answer) => answer.body.reason))).toEqual(
        new Set(['token_already_used']),
      )
      expect(await usesOf(name)).toBe(1)
    }
  }, 90_000)

  it('repeats a lost answer for the same key: the same gateway, a fresh bearer, and the old one void', async () => {
    const { token } = await fleet.createEnrollment()
    const instanceUid = uid()
    const first = await fleet.redeem(token, one(), instanceUid)
    await clock.advance(20 * 60_000) // longer than the token lives
    const second = await fleet.redeem(token, one(), instanceUid)
    expect(second.status).toBe(200)
    expect(second.body.gatewayId).toBe(first.body.gatewayId)
    expect(second.body.credential).toMatchObject({ credentialSequence: '2' })
    expect(() => fleet.app().fleet.identify({ bearer: first.body.credential.bearerToken, certificate: null })).toThrow(
      /No gateway has this credential/,
    )
    expect(fleet.app().fleet.identify({ bearer: second.body.credential.bearerToken, certificate: null })).toEqual({
      gatewayId: first.body.gatewayId,
      standing: 'active',
    })
  })

  it('repeats nothing once the gateway has said hello, nor after a day, nor for another key', async () => {
    const { token } = await fleet.createEnrollment()
    const instanceUid = uid()
    const first = await fleet.redeem(token, one(), instanceUid)
    const stranger = await fleet.redeem(token, { ...another(), idempotencyKey: one().idempotencyKey }, uid())
    expect(stranger).toMatchObject({ status: 409, body: { reason: 'token_already_used' } })
    const agent = fleet.agentOf(first.body.credential.bearerToken, instanceUid)
    agent.connect()
    // The writer thread keeps its own time.
    await until(async () => {
      await clock.advance(10)
      return await confirmedAt(first.body.gatewayId)
    })
    expect(await fleet.redeem(token, one(), instanceUid)).toMatchObject({ status: 409, body: { reason: 'token_already_used' } })

    const { token: other } = await fleet.createEnrollment()
    const otherUid = uid()
    await fleet.redeem(other, another(), otherUid)
    await clock.advance(25 * 3_600_000)
    expect(await fleet.redeem(other, another(), otherUid)).toMatchObject({ status: 409, body: { reason: 'token_already_used' } })
  })

  it('tells the organization when a used token is shown again by somebody else', async () => {
    const { token, name } = await fleet.createEnrollment()
    await fleet.redeem(token, one(), uid())
    await fleet.redeem(token, another(), uid())
    const alerts = await fleet.db().read.audit.findMany({ where: { action: 'enrollment.reuse_refused', name } })
    expect(alerts).toHaveLength(1)
    expect(JSON.parse(alerts[0]!.detail!)).toMatchObject({ alert: true })
  })

  it('says who used a token and when, also once that gateway is deleted', async () => {
    const { token, name } = await fleet.createEnrollment({ name: 'web' })
    expect((await fleet.redeem(token, one(), uid())).status).toBe(200)
    const at = new Date(clock.now()).toISOString()
    const used = { detail: `This enrollment token was already used at ${at} by web.`, hint: expect.stringContaining('enroll create') }
    const usedBy = async () => (await fleet.call('GET', `${workspace}/enrollments/${name}`)).body.status.redemptions
    expect((await fleet.redeem(token, another(), uid())).body).toMatchObject(used)
    expect(await usedBy()).toMatchObject([{ gateway: 'web' }])
    await fleet.call('DELETE', `${environment}/gateways/web`)
    expect((await fleet.redeem(token, another(), uid())).body).toMatchObject(used)
    expect(await usedBy()).toMatchObject([{ gateway: 'web' }])
  })

  it('allows as many gateways as it has uses', async () => {
    const { token } = await fleet.createEnrollment({ maxUses: 2 })
    const statuses = []
    for (const identity of identities.slice(0, 3))
      statuses.push((await fleet.redeem(token, { ...identity, idempotencyKey: new Uint8Array(randomBytes(16)) }, uid())).status)
    expect(statuses).toEqual([200, 200, 409])
    expect((await fleet.redeem(token, one(), uid())).body.detail).toBe('This enrollment token was already used: all 2 uses are taken.')
  })
})

describe('refusing a redemption', () => {
  it('says token_unknown for a token nobody made, of any form', async () => {
    for (const token of ['abc123', `mcpg_enr_${'a'.repeat(43)}_AAAAAA`, 'x'.repeat(512), 'x'.repeat(513), 'x'.repeat(8_000)])
      for (const answer of [await fleet.redeem(token, one(), uid()), await fleet.call('GET', `/enroll/${token}`)])
        expect(answer).toMatchObject({ status: 404, body: { code: 'not_found', reason: 'token_unknown', instance: '/enroll/[redacted]' } })
  })

  it('says token_expired and token_revoked, to GET too', async () => {
    const expired = await fleet.createEnrollment({ ttl: '1m' })
    const revoked = await fleet.createEnrollment()
    expect((await fleet.call('POST', `${environment}/enrollments/${revoked.name}/revoke`)).status).toBe(204)
    await clock.advance(61_000)
    expect(await fleet.redeem(expired.token, one(), uid())).toMatchObject({ status: 410, body: { code: 'gone', reason: 'token_expired' } })
    expect(await fleet.call('GET', `/enroll/${expired.token}`)).toMatchObject({ status: 410, body: { reason: 'token_expired' } })
    expect(await fleet.redeem(revoked.token, one(), uid())).toMatchObject({ status: 410, body: { code: 'gone', reason: 'token_revoked' } })
  })

  it('lists no gateway for a token that was revoked before anybody used it', async () => {
    const { name } = await fleet.createEnrollment({ name: 'never-born' })
    expect((await fleet.call('POST', `${environment}/enrollments/${name}/revoke`)).status).toBe(204)
    const { body } = await fleet.call('GET', `${workspace}/enrollments/${name}`)
    expect(body.status).toMatchObject({ state: 'revoked', usedCount: 0, redemptions: [] })
    expect(enrollmentKind.columns.find((column) => column.name === 'gateways')?.value(body)).toBe('')
  })

  it('gives the token back when the uid is taken, not the expected one, or the source is not allowed', async () => {
    const used = uid()
    const first = await fleet.createEnrollment()
    await fleet.redeem(first.token, one(), used)
    const again = await fleet.createEnrollment()
    expect(await fleet.redeem(again.token, another(), used)).toMatchObject({
      status: 409,
      body: { code: 'conflict', reason: 'instance_uid_in_use' },
    })
    expect((await fleet.redeem(again.token, another(), uid())).status).toBe(200)

    const expected = await fleet.createEnrollment({ expectedInstanceUid: 'the-one' })
    expect(await fleet.redeem(expected.token, one(), 'not-it')).toMatchObject({ status: 403, body: { reason: 'instance_uid_mismatch' } })
    expect((await fleet.redeem(expected.token, one(), 'the-one')).status).toBe(200)

    const bound = await fleet.createEnrollment({ cidrs: ['10.0.0.0/8'] })
    expect(await fleet.redeem(bound.token, one(), uid())).toMatchObject({ status: 403, body: { reason: 'source_not_allowed' } })
    expect(await usesOf(bound.name)).toBe(0)
  })

  it('gives the token back when the proof is wrong: a CSR by another key, a sealing key nobody vouches for, rubbish', async () => {
    const { token, name } = await fleet.createEnrollment()
    const broken = Uint8Array.from(one().csr)
    broken[broken.length - 1]! ^= 1
    const cases: [Partial<Identity>, string][] = [
      [{ csr: broken }, 'csr_invalid'],
      [{ csr: new Uint8Array([1, 2, 3]) }, 'csr_invalid'],
      [{ sealingKeySignature: another().sealingKeySignature }, 'sealing_key_invalid'],
      [{ sealingPublicKey: new Uint8Array(31) }, 'sealing_key_invalid'],
      [{ idempotencyKey: new Uint8Array(3) }, 'enroll_request_invalid'],
    ]
    for (const [change, reason] of cases)
      expect(await fleet.redeem(token, { ...one(), ...change }, uid())).toMatchObject({ status: 400, body: { code: 'invalid', reason } })
    expect(await fleet.call('POST', `/enroll/${token}`, { csr: 7 })).toMatchObject({
      status: 400,
      body: { reason: 'enroll_request_invalid' },
    })
    expect(await fleet.redeem(token, one(), 'Not A Uid')).toMatchObject({ status: 400, body: { reason: 'enroll_request_invalid' } })
    expect(await usesOf(name)).toBe(0)
  })

  it('takes a token from another machine over TLS only', async () => {
    const { token } = await fleet.createEnrollment()
    const answer = await fleet.app().http.inject({
      method: 'POST',
      url: `/enroll/${token}`,
      payload: enrollRequest(one(), uid()),
      remoteAddress: '192.0.2.7',
    })
    expect([answer.statusCode, answer.json().reason]).toEqual([403, 'tls_required'])
  })

  it('does not revoke what was used: the gateway is deleted instead', async () => {
    const { token, name } = await fleet.createEnrollment()
    const { body } = await fleet.redeem(token, one(), uid())
    const answer = await fleet.call('POST', `${environment}/enrollments/${name}/revoke`)
    expect(answer).toMatchObject({ status: 409, body: { reason: 'token_already_used', hint: `mcpg-ctl delete gateway/${body.gatewayId}` } })
  })
})

describe('limits', () => {
  it('slow down failed redemptions of one address, and never those of loopback', () => {
    const time = fakeClock()
    const gate = redemptionLimits({ limits: { failedPerSecond: 1, failedBurst: 20, perSecond: 1_000 }, clock: time })
    for (let failure = 0; failure < 20; failure++) {
      gate.admit('192.0.2.1')
      gate.countFailure('192.0.2.1')
      gate.countFailure('127.0.0.1')
    }
    expect(() => gate.admit('192.0.2.1')).toThrow(expect.objectContaining({ code: 'rate_limited', retryAfterSeconds: 1 }))
    gate.admit('192.0.2.2')
    gate.admit('127.0.0.1')
  })

  it('let the address in again after a while', async () => {
    const time = fakeClock()
    const gate = redemptionLimits({ limits: { failedPerSecond: 1, failedBurst: 1, perSecond: 1_000 }, clock: time })
    gate.countFailure('192.0.2.1')
    expect(() => gate.admit('192.0.2.1')).toThrow(/Too many failed redemptions/)
    await time.advance(1_000)
    gate.admit('192.0.2.1')
  })

  it('bound all redemptions together', async () => {
    const time = fakeClock()
    const gate = redemptionLimits({ limits: { failedPerSecond: 1, failedBurst: 20, perSecond: 100 }, clock: time })
    for (let redemption = 0; redemption < 100; redemption++) gate.admit('127.0.0.1')
    expect(() => gate.admit('127.0.0.1')).toThrow(expect.objectContaining({ reason: 'rate_limited' }))
    await time.advance(10)
    gate.admit('127.0.0.1')
  })
})

async function usesOf(name: string): Promise<number> {
  return (await fleet.db().read.enrollment.findFirst({ where: { name } }))!.usedCount
}

async function confirmedAt(gatewayId: string): Promise<string | null> {
  return (await fleet.db().read.redemption.findFirst({ where: { gatewayId } }))!.confirmedAt
}
