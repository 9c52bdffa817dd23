import { ConnectError, createClient } from '@connectrpc/connect'
import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '@mcpg/core/clock'
import { DeliveryService } from '@mcpg/proto/gen/delivery'
import { EnrollmentService } from '@mcpg/proto/gen/enrollment'
import { TerminateReason } from '@mcpg/proto/gen/gateway'
import { certified, chainOf, dial, leafOf, pem, type Certified, type Holding } from '../../test/certified.ts'
import { fakeAgent, last, type FakeAgent } from '../../test/fake-agent.ts'
import { environment, testFleet, type TestFleet } from '../../test/fleet.ts'
import { newKeys, pemOfKey } from '../../test/identity.ts'
import { makeCertificate, newKey, signingKeyOf } from '../keys/certificates.ts'

const day = 86_400_000
/** Certificates of a future to which a test moves our clock are good at once for OpenSSL, which looks at the clock of the machine. */
const backdate = 60 * day
let ahead = 0
const clock: Clock = { ...systemClock, now: () => Date.now() + ahead }
let fleet: TestFleet
const agents: FakeAgent[] = []
let made = 0

beforeAll(async () => {
  fleet = await testFleet({ tls: true, clock, timers: `certificateBackdate=${backdate}` })
})
afterEach(() => {
  ahead = 0
  for (const agent of agents.splice(0)) agent.disconnect()
})
afterAll(() => fleet.close())

const enroll = () => certified(fleet, `box-${++made}`)

async function online(gateway: Certified, holding?: Holding): Promise<FakeAgent> {
  const agent = gateway.agent(holding)
  agents.push(agent)
  await agent.waitFor(() => last(agent, 'welcome'))
  return agent
}

/** The reason with which a stream of this holding ends. */
async function refusal(gateway: Certified, holding?: Holding): Promise<string | null> {
  const agent = gateway.agent(holding)
  agents.push(agent)
  return reasonOf(await agent.waitFor(() => agent.end()))
}

const reasonOf = (error: unknown): string | null => (error instanceof ConnectError ? error.metadata.get('mcpg-reason') : String(error))
const failing = async (work: Promise<unknown>): Promise<string | null> =>
  work.then(
    () => 'it worked',
    (error: unknown) => reasonOf(error),
  )
const statusOf = async ({ instanceUid }: Certified) => (await fleet.gateway(instanceUid)).status
/** What became of a gateway; what was refused to it is written in batches, so later. */
async function audited(gateway: Certified): Promise<string[]> {
  const where = { uid: gateway.id, action: { not: 'access.deny' } }
  const rows = await fleet.db().read.audit.findMany({ where, orderBy: { at: 'asc' } })
  return rows.map(({ action }) => action)
}

describe('a certificate', () => {
  it('is a client leaf of a day for one gateway, by our authority, and lets it in over TLS', async () => {
    const gateway = await enroll()
    const leaf = leafOf(gateway.first)
    expect(leaf.subjectAltName).toBe(`URI:spiffe://${fleet.app().authority.trustDomain}/org/default/ws/default/gateway/${gateway.id}`)
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(leaf.ca).toBe(false)
    const life = leaf.validToDate.getTime() - leaf.validFromDate.getTime()
    expect(life).toBe(day + backdate)
    const renewAfter = Number(gateway.first.credential.renewAfter!.seconds) * 1000 - Date.now()
    expect(renewAfter).toBeGreaterThan(day * 0.44)
    expect(renewAfter).toBeLessThan(day * 0.56)
    await online(gateway)
    const { credential } = await statusOf(gateway)
    expect(credential).toEqual({
      kind: 'certificate',
      serial: leaf.serialNumber.toLowerCase(),
      notAfter: leaf.validToDate.toISOString(),
      renewals: 0,
      recoveries: 0,
    })
  })

  it('leads to a root whose pin stands in the enrollment URL, through an issuing certificate', async () => {
    const gateway = await enroll()
    const { url, command } = await fleet.createEnrollment()
    const [root] = gateway.enrolled.trustBundle.map((der) => new X509Certificate(der))
    const pin = createHash('sha256')
      .update(root!.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
    expect(url).toMatch(new RegExp(`^https://127\\.0\\.0\\.1:\\d+/enroll/mcpg_enr_[^#]+#pin=sha256:${pin}$`))
    expect(command).toContain(`'${url}'`)
    const [leaf, issuing] = chainOf(gateway.first)
      .match(/-----BEGIN[^]+?-----END CERTIFICATE-----\n/g)!
      .map((text) => new X509Certificate(text))
    expect([leaf!.verify(issuing!.publicKey), issuing!.verify(root!.publicKey)]).toEqual([true, true])
    const answer = await fleet.call('GET', '/v1/ca-cert.pem')
    expect([answer.status, answer.body]).toEqual([200, pem(gateway.enrolled.trustBundle[0]!)])
  })

  it('lets in after a restart of the control plane, which keeps its authority', async () => {
    const gateway = await enroll()
    await fleet.restart()
    await online(gateway)
    expect((await enroll()).enrolled.trustBundle).toEqual(gateway.enrolled.trustBundle)
  })

  it.each<[string, (gateway: Certified) => Promise<Holding>, string]>([
    ['of another authority', async ({ first, id }) => await forged(first, id), 'credential_untrusted'],
    ['that expired by our clock', async ({ first }) => ((ahead = day + 1000), first), 'credential_expired'],
  ])('%s is refused', async (_what, holding, reason) => {
    const gateway = await enroll()
    expect(await refusal(gateway, await holding(gateway))).toBe(reason)
  })

  it('is needed: without one every call but those of a recovery is refused, a bearer changes nothing', async () => {
    const agent = fakeAgent({ transport: dial(fleet), bearer: 'abc', instanceUid: 'nobody' })
    agents.push(agent)
    agent.connect()
    expect(reasonOf(await agent.waitFor(() => agent.end()))).toBe('credential_kind_unsupported')
    const gateway = await enroll()
    expect(await failing(gateway.gateway().renewCredential({}))).toBe('credential_missing')
  })

  it('that was revoked ends its stream at once and is refused from then on, also while its gateway is deleted', async () => {
    const gateway = await enroll()
    const agent = await online(gateway)
    await fleet.call('POST', `${environment}/gateways/${gateway.instanceUid}/revoke`)
    expect((await agent.waitFor(() => last(agent, 'terminate'))).reason).toBe(TerminateReason.REVOKED)
    const again = gateway.agent()
    agents.push(again)
    expect((await again.waitFor(() => last(again, 'terminate'))).reason).toBe(TerminateReason.REVOKED)
    expect(await failing(gateway.renew(gateway.first))).toBe('credential_revoked')
    expect(await failing(createClient(DeliveryService, dial(fleet, gateway.first)).fetchSecrets({}))).toBe('credential_revoked')
    await fleet.call('DELETE', `${environment}/gateways/${gateway.instanceUid}`)
    const third = gateway.agent()
    agents.push(third)
    expect((await third.waitFor(() => last(third, 'terminate'))).reason).toBe(TerminateReason.DECOMMISSIONED)
    expect(await failing(gateway.recover(gateway.first))).toBe('gateway_deleted')
  })
})

describe('a TLS session', () => {
  it('is never resumed: what a client kept of one does not replace its certificate and key', async () => {
    const gateway = await enroll()
    const own = await handshake({ cert: chainOf(gateway.first), key: pemOfKey(gateway.first.keys) })
    expect(own.session).toBeDefined()
    for (const session of [own.session, (await handshake({})).session]) {
      const stolen = await handshake({ session })
      expect(stolen.reused).toBe(false)
    }
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is agreed on with %s', async (version) => {
    expect((await handshake({ minVersion: version, maxVersion: version })).protocol).toBe(version)
  })

  it('is not agreed on with TLS 1.1, nor with a client that speaks no HTTP/2', async () => {
    await expect(handshake({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow(
      /alert|closed/i,
    )
    await expect(handshake({ ALPNProtocols: ['http/1.1'] })).rejects.toThrow(/alert|closed/i)
  })

  /** Waits for what a server sends by itself after the handshake. */
  async function handshake(options: ConnectionOptions): Promise<{ session: Buffer | undefined; reused: boolean; protocol: string | null }> {
    const { hostname, port } = new URL(fleet.app().fleet.grpcUrl())
    return await new Promise((resolve, reject) => {
      let session: Buffer | undefined
      const socket: TLSSocket = connect({
        host: hostname,
        port: Number(port),
        ca: fleet.app().authority.rootsPem(),
        ALPNProtocols: ['h2'],
        ...options,
      })
      socket.on('session', (kept) => (session = kept))
      socket.once('data', () => {
        resolve({ session, reused: socket.isSessionReused(), protocol: socket.getProtocol() })
        socket.destroy()
      })
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('closed')))
    })
  }
})

describe('a renewal', () => {
  it('gives a certificate for a new key; its first use makes it the one that counts', async () => {
    const gateway = await enroll()
    const agent = await online(gateway)
    const { next, answer } = await gateway.renew(gateway.first)
    expect(next.credential.credentialSequence).toBe(2n)
    expect(leafOf(next).publicKey.equals(leafOf(gateway.first).publicKey)).toBe(false)
    expect(Number(answer.overlapUntil!.seconds) * 1000 - Date.now()).toBeGreaterThan(590_000)
    // Until then the old one is good.
    agent.disconnect()
    await online(gateway)
    await online(gateway, next)
    expect(await refusal(gateway, gateway.first)).toBe('credential_superseded')
    expect(await failing(createClient(DeliveryService, dial(fleet, gateway.first)).fetchSecrets({}))).toBe('credential_superseded')
    expect((await statusOf(gateway)).credential).toMatchObject({ serial: leafOf(next).serialNumber.toLowerCase(), renewals: 1 })
    expect(await audited(gateway)).toEqual(['gateway.enroll', 'gateway.renew'])
    await fleet.restart()
    await online(gateway, next)
  })

  it('whose answer was lost is answered again, also when the overlap is over and the old certificate lets in no more', async () => {
    const gateway = await enroll()
    const prepared = await gateway.renewal()
    const { next } = await gateway.renew(gateway.first, { prepared })
    ahead = 11 * 60_000
    expect(await refusal(gateway, gateway.first)).toBe('credential_superseded')
    const again = await gateway.renew(gateway.first, { prepared })
    expect(again.next.credential).toMatchObject({ credentialSequence: 2n, material: next.credential.material })
    await online(gateway, again.next)
    expect(await audited(gateway)).toEqual(['gateway.enroll', 'gateway.renew'])
  })

  it('twice at once with one key is one', async () => {
    const gateway = await enroll()
    const prepared = await gateway.renewal()
    const both = await Promise.all([gateway.renew(gateway.first, { prepared }), gateway.renew(gateway.first, { prepared })])
    expect(leafOf(both[0].next).serialNumber).toBe(leafOf(both[1].next).serialNumber)
  })

  it('by a copy of the state dir locks the identity, ends its stream, and there is no way back but a new enrollment', async () => {
    const gateway = await enroll()
    const { next } = await gateway.renew(gateway.first)
    const agent = await online(gateway, next)
    expect(await failing(gateway.renew(gateway.first))).toBe('credential_clone_suspected')
    expect((await agent.waitFor(() => last(agent, 'terminate'))).reason).toBe(TerminateReason.LOCKED)
    expect(await failing(gateway.renew(next))).toBe('credential_clone_suspected')
    expect(await failing(gateway.recover(next))).toBe('credential_clone_suspected')
    const status = await statusOf(gateway)
    expect(status.conditions).toMatchObject([
      { type: 'Degraded', reason: 'CredentialCloneSuspected', message: expect.stringMatching(/enroll it again/) },
    ])
    expect(await audited(gateway)).toContain('gateway.lock')
    const events = (await fleet.call('GET', '/v1/orgs/default/workspaces/default/events?limit=500')).body.items
    expect(JSON.stringify(events)).toContain('CredentialCloneSuspected')
    await fleet.restart()
    const back = gateway.agent(next)
    agents.push(back)
    expect((await back.waitFor(() => last(back, 'terminate'))).reason).toBe(TerminateReason.LOCKED)
    expect((await fleet.call('DELETE', `${environment}/gateways/${gateway.instanceUid}`)).status).toBe(204)
    await online(await certified(fleet, gateway.instanceUid))
  })

  it('by a copy that was first is found out by the real one', async () => {
    const gateway = await enroll()
    await gateway.renew(gateway.first)
    expect(await failing(gateway.renew(gateway.first))).toBe('credential_clone_suspected')
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['nothing to sign', {}, 'csr_invalid'],
    ['no idempotency key', { csr: true }, 'renew_request_invalid'],
    ['a request that is none', { csr: new Uint8Array([1, 2]), idempotencyKey: new Uint8Array(16) }, 'csr_invalid'],
  ])('with %s is refused and changes nothing', async (_what, { csr, ...rest }, reason) => {
    const gateway = await enroll()
    const request = {
      ...rest,
      credentialSequence: 1n,
      ...(csr === true ? { csr: gateway.identity.csr } : csr ? { csr: csr as Uint8Array } : {}),
    }
    expect(await failing(gateway.gateway(gateway.first).renewCredential(request as never))).toBe(reason)
    await online(gateway)
  })
})

describe('a recovery', () => {
  it('brings back a gateway whose certificate expired while it was away', async () => {
    const gateway = await enroll()
    ahead = 3 * day
    const recovered = await gateway.recover(gateway.first)
    expect(recovered.credential.credentialSequence).toBe(2n)
    await online(gateway, recovered)
    expect((await statusOf(gateway)).credential).toMatchObject({ recoveries: 1, renewals: 0 })
    expect(await audited(gateway)).toEqual(['gateway.enroll', 'gateway.recover'])
  })

  it('whose answer was lost can be repeated by whoever has the key, and counts once', async () => {
    const gateway = await enroll()
    const keys = await newKeys()
    await gateway.recover(gateway.first, { keys })
    const again = await gateway.recover(gateway.first, { keys })
    await online(gateway, again)
    expect((await statusOf(gateway)).credential.recoveries).toBe(1)
  })

  it('follows a renewal whose answer was lost', async () => {
    const gateway = await enroll()
    const { next } = await gateway.renew(gateway.first)
    ahead = 2 * day
    const recovered = await gateway.recover(gateway.first)
    expect(recovered.credential.credentialSequence).toBe(3n)
    await online(gateway, recovered)
    ahead = 0
    expect(await refusal(gateway, next)).toBe('credential_superseded')
  })

  it('ends 30 days after the expiry', async () => {
    const gateway = await enroll()
    ahead = 30 * day
    await gateway.recover(gateway.first)
    const late = await enroll()
    ahead += 32 * day
    expect(await failing(late.recover(late.first))).toBe('recovery_window_exceeded')
  })

  it('works five times in a row, and again after an ordinary renewal', async () => {
    const gateway = await enroll()
    let holding = gateway.first
    const recoverAndUse = async () => {
      holding = await gateway.recover(holding)
      ;(await online(gateway, holding)).disconnect()
    }
    for (let count = 0; count < 5; count++) await recoverAndUse()
    expect(await failing(gateway.recover(holding))).toBe('recovery_limit_exceeded')
    ;({ next: holding } = await gateway.renew(holding))
    ;(await online(gateway, holding)).disconnect()
    await recoverAndUse()
  })

  it('by a copy of the state dir locks the identity', async () => {
    const gateway = await enroll()
    const recovered = await gateway.recover(gateway.first)
    const agent = await online(gateway, recovered)
    expect(await failing(gateway.recover(gateway.first))).toBe('credential_clone_suspected')
    expect((await agent.waitFor(() => last(agent, 'terminate'))).reason).toBe(TerminateReason.LOCKED)
  })

  it('is not for a stranger, who cannot lock anybody either', async () => {
    const gateway = await enroll()
    const stranger = { keys: await newKeys(), credential: gateway.first.credential }
    expect(await failing(gateway.recover(stranger))).toBe('recovery_signature_invalid')
    expect(await failing(gateway.recover(stranger, { sequence: 0n }))).toBe('recovery_signature_invalid')
    await online(gateway)
  })

  it('takes each challenge once, of this gateway, for a minute', async () => {
    const gateway = await enroll()
    const other = await enroll()
    expect(await failing(gateway.recover(gateway.first, { challenge: new Uint8Array(randomBytes(32)) }))).toBe('recovery_challenge_invalid')
    const challenge = await begin(gateway)
    expect(await failing(other.recover(other.first, { challenge }))).toBe('recovery_challenge_invalid')
    await gateway.recover(gateway.first, { challenge })
    expect(await failing(gateway.recover(gateway.first, { challenge }))).toBe('recovery_challenge_invalid')
    const stale = await begin(gateway)
    ahead = 61_000
    expect(await failing(gateway.recover(gateway.first, { challenge: stale }))).toBe('recovery_challenge_invalid')
  })

  it('is refused to who does not know the installation, and to a gateway that was revoked', async () => {
    const gateway = await enroll()
    expect(await failing(begin({ ...gateway, instanceUid: 'another' }))).toBe('gateway_unknown')
    expect(await failing(begin({ ...gateway, id: 'gw_none' }))).toBe('gateway_unknown')
    await fleet.call('POST', `${environment}/gateways/${gateway.instanceUid}/revoke`)
    expect(await failing(gateway.recover(gateway.first))).toBe('credential_revoked')
  })

  async function begin({ id, instanceUid }: Pick<Certified, 'id' | 'instanceUid'>): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array((await createClient(EnrollmentService, dial(fleet)).beginRecovery({ gatewayId: id, instanceUid })).challenge)
  }
})

/** The same names and serial, signed by an authority of somebody else. */
async function forged(first: Holding, id: string): Promise<Holding> {
  const authority = await newKey()
  const leaf = leafOf(first)
  const { der } = await makeCertificate(
    {
      subject: `CN=${id}`,
      publicKey: leaf.publicKey.export({ type: 'spki', format: 'der' }),
      names: [{ type: 'url', value: leaf.subjectAltName!.replace('URI:', '') }],
      notBefore: Date.now() - 1000,
      notAfter: Date.now() + day,
      use: 'client',
    },
    { subject: 'CN=somebody', publicKey: authority.publicKey, signingKey: await signingKeyOf(authority.privateKey) },
  )
  return { keys: first.keys, credential: { ...first.credential, material: { case: 'x509Chain', value: { certificates: [der] } as never } } }
}
