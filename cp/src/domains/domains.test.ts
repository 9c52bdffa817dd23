import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dnsServer } from '../../test/dns-server.ts'
import { fakeDriver, type FakeDriver } from '../../test/fake-driver.ts'
import { environment, testFleet, until, type TestFleet } from '../../test/fleet.ts'

const path = '/v1/orgs/default/domains'
const json = { accept: 'application/json' }
let fleet: TestFleet
let cluster: FakeDriver
let names: Awaited<ReturnType<typeof dnsServer>>
beforeEach(async () => {
  names = await dnsServer()
  cluster = fakeDriver({ fleet: () => fleet })
  fleet = await testFleet({
    managed: { drivers: [cluster.driver] },
    timers: 'operationRetry=10',
    change: (config) => ({ ...config, dnsServers: [names.address] }),
  })
})
afterEach(async () => {
  await fleet.close()
  names.close()
})

const add = async (host: string) => (await fleet.call('POST', path, { host })).body
const verify = (host: string) => fleet.call('POST', `${path}/${host}/verify`)
const operation = async (id: string) => (await fleet.call('GET', `/v1/operations/${id}`)).body
const create = (body: object) => fleet.call('POST', `${environment}/gateways`, body, json)
const ended = (id: string) => until(async () => ((await operation(id)).state === 'running' ? null : await operation(id)), 60_000)
const made = async (body: object) => await ended((await create(body)).body.operationId)
async function verified(host: string) {
  const { record } = await add(host)
  names.records.set(record.name, [record.value])
  expect((await verify(host)).status).toBe(200)
}

describe('a domain', () => {
  it('is verified by the TXT record that it was told, and says what is there instead', async () => {
    const domain = await add('tools.example.com')
    expect(domain).toMatchObject({ state: 'pending', record: { type: 'TXT', name: '_mcpg-challenge.tools.example.com' } })
    expect(await add('tools.example.com')).toEqual(domain)
    const absent = await verify('tools.example.com')
    expect([absent.status, absent.body.reason, absent.body.detail]).toEqual([
      409,
      'domain_not_verified',
      expect.stringContaining('there is no TXT record'),
    ])
    names.records.set(domain.record.name, ['mcpg-domain-verification=of somebody else'])
    expect((await verify('tools.example.com')).body.detail).toContain('of somebody else')
    names.records.set(domain.record.name, ['v=spf1 -all', domain.record.value])
    expect((await verify('tools.example.com')).body).toMatchObject({ state: 'verified', verifiedAt: expect.any(String) })
    names.records.clear()
    expect((await verify('tools.example.com')).body.state).toBe('verified')
    expect((await fleet.call('GET', path)).body.items).toHaveLength(1)
  })

  it('that nobody answers for can be tried again, and one that is none is refused', async () => {
    await add('example.com')
    names.close()
    const lost = await verify('example.com')
    names = await dnsServer()
    expect([lost.status, lost.body.reason]).toEqual([503, 'dns_unavailable'])
    for (const host of ['example', 'Example.com', 'a..b', '-a.example.com', `${'a'.repeat(64)}.com`])
      expect([host, (await fleet.call('POST', path, { host })).status]).toEqual([host, 400])
    expect((await verify('never.example.com')).status).toBe(404)
  }, 30_000)
})

describe('a host name of a gateway', () => {
  it('is of a verified domain and of one gateway, stays over changes, and keeps the domain', async () => {
    const refused = async (body: object) => {
      const { status, body: problem } = await create(body)
      return [status, problem.reason, problem.hint]
    }
    const asked = { name: 'edge', customHostname: 'a.tools.example.com' }
    expect(await refused(asked)).toEqual([400, 'hostname_not_verified', 'mcpg-ctl domain add example.com'])
    await add('example.com')
    expect(await refused(asked)).toEqual([400, 'hostname_not_verified', 'mcpg-ctl domain verify example.com'])
    await verified('example.com')
    expect(await refused({ ...asked, customHostname: 'a.notexample.com' })).toEqual([
      400,
      'hostname_not_verified',
      'mcpg-ctl domain add notexample.com',
    ])
    expect((await made(asked)).state).toBe('succeeded')
    expect((await refused({ ...asked, name: 'other' })).slice(0, 2)).toEqual([409, 'hostname_in_use'])
    expect((await made({ name: 'edge', size: 'm' })).state).toBe('succeeded')
    expect(JSON.parse((await fleet.db().read.managedGateway.findFirst())!.parameters)).toMatchObject({
      customHostname: 'a.tools.example.com',
      size: 'm',
    })
    expect((await fleet.call('GET', `${path}/example.com`)).body.usedBy).toEqual([
      { hostname: 'a.tools.example.com', workspace: 'default', environment: 'default', gateway: 'edge' },
    ])
    const kept = await fleet.call('DELETE', `${path}/example.com`)
    expect([kept.status, kept.body.reason, kept.body.detail]).toEqual([
      409,
      'domain_in_use',
      expect.stringContaining('default/default/edge'),
    ])
    await verified('tools.example.com')
    expect((await fleet.call('DELETE', `${path}/example.com`)).status).toBe(204)
    expect((await fleet.call('DELETE', `${path}/tools.example.com`)).status).toBe(409)
  }, 60_000)

  it('is given once, however many ask at the same moment', async () => {
    await verified('example.com')
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => create({ name: `edge-${index}`, customHostname: 'one.example.com' })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([202, ...Array<number>(7).fill(409)])
    for (const { status, body } of answers) if (status === 409) expect(body.reason).toBe('hostname_in_use')
    const db = fleet.db()
    expect(await db.read.gatewayHostname.count()).toBe(1)
    expect(await db.read.operation.count()).toBe(1)
    // The key of the table is what counts, whoever writes it.
    const { hostname } = (await db.read.gatewayHostname.findFirst())!
    await expect(db.write((tx) => tx.gatewayHostname.create({ data: { hostname, gatewayUid: 'another' } }))).rejects.toMatchObject({
      code: 'P2002',
    })
  }, 60_000)

  it('that a gateway is getting is kept from others, and the one before is free when the change has ended', async () => {
    await verified('example.com')
    expect((await made({ name: 'edge', customHostname: 'a.example.com' })).state).toBe('succeeded')
    const has = async () =>
      (await fleet.db().read.gatewayHostname.findMany({ orderBy: { hostname: 'asc' } })).map(({ hostname }) => hostname)
    const taken = async (customHostname: string) => (await create({ name: 'other', customHostname })).body.reason

    cluster.fails.push(...Array<'apply'>(5).fill('apply'))
    const change = (await create({ name: 'edge', customHostname: 'b.example.com' })).body.operationId
    expect([await taken('a.example.com'), await taken('b.example.com')]).toEqual(['hostname_in_use', 'hostname_in_use'])
    expect((await ended(change)).state).toBe('failed')
    expect(await has()).toEqual(['a.example.com'])

    expect((await made({ name: 'edge', customHostname: 'b.example.com' })).state).toBe('succeeded')
    expect(await has()).toEqual(['b.example.com'])
    expect((await made({ name: 'other', customHostname: 'a.example.com' })).state).toBe('succeeded')
    const { operationId } = (await fleet.call('DELETE', `${environment}/gateways/edge`, undefined, json)).body
    expect((await ended(operationId)).state).toBe('succeeded')
    expect(await has()).toEqual(['a.example.com'])
    await fleet.call('POST', '/v1/admin/clusters/local/decommission', { force: true })
    expect(await has()).toEqual([])
  }, 120_000)
})
