import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeDriver } from '../../test/fake-driver.ts'
import { environment, testFleet, until, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
let cluster: ReturnType<typeof fakeDriver>
beforeEach(async () => {
  cluster = fakeDriver({ fleet: () => fleet })
  fleet = await testFleet({
    managed: { drivers: [cluster.driver, { ...cluster.driver, kind: 'kubernetes', needsCredentials: true }] },
    timers: 'operationLease=300,provisionStep=5000,provisionConfig=5000',
  })
})
afterEach(() => fleet.close())

const path = '/v1/admin/clusters/local'
const change = (body: object) => fleet.call('PATCH', path, body)

async function made(name: string): Promise<void> {
  const { operationId } = (await fleet.call('POST', `${environment}/gateways`, { name }, { accept: 'application/json' })).body
  const ended = async () => (await fleet.call('GET', `/v1/operations/${operationId}`)).body.state !== 'running' || null
  await until(ended, 15_000)
}

describe('a cluster that is changed', () => {
  it('takes more or less and has other labels, and keeps what was not named', async () => {
    const { body: before } = await fleet.call('GET', '/v1/clusters/local')
    const { status, body } = await change({ gatewaysMax: 25, labels: { disk: 'ssd' }, memoryBytesTotal: 8 * 2 ** 30 })
    expect([status, body]).toEqual([
      200,
      {
        ...before,
        gateways: { max: 25, reserved: 0 },
        labels: { disk: 'ssd' },
        totalsGiven: true,
        cpuMillicores: { reserved: 0 },
        memoryBytes: { total: 8 * 2 ** 30, reserved: 0 },
        updatedAt: expect.any(String),
      },
    ])
    expect((await change({ labels: {} })).body).toMatchObject({ labels: {}, gateways: { max: 25 }, totalsGiven: true })

    // Without totals it has what its probe finds.
    expect((await change({ memoryBytesTotal: null })).body).toMatchObject({
      totalsGiven: false,
      cpuMillicores: { total: 8_000 },
      memoryBytes: { total: 16 * 2 ** 30 },
    })
    const rows = await fleet.db().read.audit.findMany({ where: { action: 'cluster.change' }, orderBy: { at: 'asc' } })
    expect(rows.map(({ detail }) => JSON.parse(detail!))).toEqual([
      { fields: ['gatewaysMax', 'memoryBytesTotal', 'labels'] },
      { fields: ['labels'] },
      { fields: ['memoryBytesTotal'] },
    ])
  })

  it('is told everything that cannot be at once, and nothing is changed then', async () => {
    await made('one')
    await made('two')
    const { status, body } = await change({ gatewaysMax: 1, cpuMillicoresTotal: 100, memoryBytesTotal: 1024, labels: { a: 'b' } })
    expect([status, body.reason]).toEqual([409, 'cluster_too_full'])
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/gatewaysMax',
      '/cpuMillicoresTotal',
      '/memoryBytesTotal',
    ])
    expect((await fleet.call('GET', '/v1/clusters/local')).body).toMatchObject({ labels: {}, gateways: { max: 10 }, totalsGiven: false })
    expect((await change({ region: 'us', gatewaysMax: 0 })).status).toBe(400)
    const access = await change({ kubernetes: { server: 'https://127.0.0.1:1', token: 't' } })
    expect([access.status, access.body.errors[0].pointer]).toEqual([400, '/kubernetes'])
    await fleet.call('POST', `${path}/decommission`, { force: true })
    expect((await change({ gatewaysMax: 20 })).status).toBe(409)
  })

  it('is reached with the credentials that it is registered with again, and the trail says so', async () => {
    const far = { name: 'far', region: 'eu', gatewaysMax: 3, driver: 'kubernetes' }
    const register = async (body: object) => (await fleet.call('POST', '/v1/admin/clusters', body)).body
    const { id, state } = await register(far)
    expect(state).toBe('registering')
    const kubernetes = { server: 'https://127.0.0.1:1', token: 't' }
    expect(await register({ ...far, kubernetes })).toMatchObject({ id, state: 'ready', gateways: { max: 3 } })
    const rows = await fleet.db().read.audit.findMany({ where: { name: 'far' }, orderBy: { at: 'asc' } })
    expect(rows.map(({ action, detail }) => [action, JSON.parse(detail!)])).toEqual([
      ['cluster.register', { driver: 'kubernetes', region: 'eu' }],
      ['cluster.change', { fields: ['kubernetes'] }],
    ])
  })
})
