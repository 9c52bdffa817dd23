import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeDriver } from '../../test/fake-driver.ts'
import { peopleApp } from '../../test/people.ts'
import { environment, testFleet, until, type TestFleet } from '../../test/fleet.ts'

const path = '/v1/orgs/default/quotas'
const gateways = `${environment}/gateways`
const here = { workspace: 'default', environment: 'default' }
let fleet: TestFleet
beforeEach(async () => {
  const cluster = fakeDriver({ fleet: () => fleet })
  fleet = await testFleet({ managed: { drivers: [cluster.driver] }, timers: 'operationLease=300,operationRetry=10' })
})
afterEach(() => fleet.close())

const put = (body: object) => fleet.call('PUT', path, body)
const quotas = async () => (await fleet.call('GET', path)).body
const operation = async (id: string) => (await fleet.call('GET', `/v1/operations/${id}`)).body
async function create(body: object) {
  const { body: started } = await fleet.call('POST', gateways, body, { accept: 'application/json' })
  return await until(async () => ((await operation(started.operationId)).state === 'running' ? null : await operation(started.operationId)))
}
async function lastEvent(id: string) {
  const { body } = await fleet.call('GET', `/v1/operations/${id}/events`)
  return JSON.parse(/^data: (.*)$/m.exec(String(body).trim().split('\n\n').at(-1)!)![1]!)
}

describe('a quota', () => {
  it('of the organization and of an environment is held to in the reservation, and says what is used, of what, and what was asked for', async () => {
    await put({ org: { cpuMillicores: 700 }, environments: [{ ...here, limits: { gateways: 2, memoryBytes: 2 ** 30 } }] })
    expect((await create({ name: 'one' })).state).toBe('succeeded')
    const big = await create({ name: 'two', size: 'm' })
    expect(big).toMatchObject({ state: 'failed', error: { reason: 'quota_exceeded' } })
    expect((await lastEvent(big.id)).exceeded).toEqual([
      { quota: 'org', amount: 'cpuMillicores', used: 250, of: 700, asked: 500 },
      { quota: 'default/default', amount: 'memoryBytes', used: 512 * 2 ** 20, of: 2 ** 30, asked: 2 ** 30 },
    ])
    expect(big.error.message).toContain('the organization default takes 250m CPU of 700m CPU, and 500m CPU more are asked for')
    expect((await create({ name: 'two' })).state).toBe('succeeded')
    expect((await create({ name: 'three' })).error.message).toContain('the environment default/default takes 2 gateways of 2 gateways')
    const grown = await create({ name: 'two', size: 'm' })
    expect([grown.kind, grown.error?.reason]).toEqual(['update', 'quota_exceeded'])
    expect(await quotas()).toEqual({
      org: { limits: { cpuMillicores: 700 }, used: { gateways: 2, cpuMillicores: 500, memoryBytes: 2 ** 30 } },
      environments: [
        { ...here, limits: { gateways: 2, memoryBytes: 2 ** 30 }, used: { gateways: 2, cpuMillicores: 500, memoryBytes: 2 ** 30 } },
      ],
    })
    const db = fleet.db()
    expect(await db.read.reservation.count({ where: { state: { not: 'released' } } })).toBe(2)
    expect(await db.read.managedGateway.count()).toBe(2)
  })

  it('lets exactly as many in as it says where many ask at once, and none that was refused leaves anything', async () => {
    await put({ environments: [{ ...here, limits: { gateways: 3 } }] })
    const ended = await Promise.all(Array.from({ length: 8 }, (_, index) => create({ name: `g${index}` })))
    expect(ended.map(({ state }) => state).toSorted()).toEqual([...Array(5).fill('failed'), ...Array(3).fill('succeeded')])
    expect((await quotas()).org.used.gateways).toBe(3)
    expect((await fleet.db().read.cluster.findFirst())!.gatewaysReserved).toBe(3)
  })

  it('below what runs takes nothing away and lets nothing in, and goes away by being left empty', async () => {
    await create({ name: 'one', size: 'm' })
    await put({ org: { gateways: 0, cpuMillicores: 100 } })
    expect((await create({ name: 'one', size: 's' })).state).toBe('succeeded')
    expect((await create({ name: 'two' })).error.reason).toBe('quota_exceeded')
    expect((await put({ org: {} })).body.org.limits).toEqual({})
    expect((await create({ name: 'two' })).state).toBe('succeeded')
    expect(await fleet.db().read.quota.count()).toBe(0)
  })

  it('is refused whole where anything in it is wrong', async () => {
    const refused = async (body: object) => {
      const { status, body: problem } = await put(body)
      return [status, problem.reason]
    }
    const two = [
      { ...here, limits: {} },
      { ...here, limits: { gateways: 1 } },
    ]
    expect((await put({ org: { gateways: -1, cpu: 1 } })).status).toBe(400)
    expect(await refused({ environments: two })).toEqual([400, 'environment_repeated'])
    expect(await refused({ org: { gateways: 5 }, environments: [{ ...here, environment: 'gone', limits: { gateways: 1 } }] })).toEqual([
      404,
      'environment_unknown',
    ])
    expect((await quotas()).org.limits).toEqual({})
  })

  it('goes with its environment', async () => {
    await fleet.call('POST', environment.replace(/\/[^/]+$/, ''), { name: 'short' })
    await put({ environments: [{ workspace: 'default', environment: 'short', limits: { gateways: 1 } }] })
    expect((await quotas()).environments).toHaveLength(1)
    await fleet.call('DELETE', environment.replace(/[^/]+$/, 'short'))
    expect((await quotas()).environments).toEqual([])
  })
})

describe('who may set it', () => {
  it('is an admin of the organization for its environments, and for the organization only who runs the clusters', async () => {
    const people = await peopleApp()
    try {
      const [eve, joe] = [await people.join('eve@example.com'), await people.join('joe@example.com')]
      const binding = { subjects: [{ kind: 'User', name: 'eve@example.com' }], role: 'admin' }
      await people.apply([{ kind: 'RoleBinding', metadata: { name: 'eve' }, spec: binding }])
      expect((await people.ada.call('PUT', path, { org: { gateways: 3 } })).status).toBe(200)
      const raised = await eve.call('PUT', path, { org: { gateways: 4 }, environments: [{ ...here, limits: { gateways: 2 } }] })
      expect([raised.status, raised.body.reason]).toEqual([403, 'quota_of_platform'])
      expect((await eve.call('PUT', path, { org: {} })).status).toBe(403)
      const own = await eve.call('PUT', path, { org: { gateways: 3 }, environments: [{ ...here, limits: { gateways: 2 } }] })
      expect(own.body).toMatchObject({ org: { limits: { gateways: 3 } }, environments: [{ limits: { gateways: 2 } }] })
      expect((await joe.call('PUT', path, { environments: [{ ...here, limits: {} }] })).status).toBe(403)
      expect((await joe.call('GET', path)).status).toBe(403)
      const rows = await people.app.db.read.audit.findMany({ where: { action: 'quota.set' }, orderBy: { at: 'asc' } })
      expect(rows.map(({ actor, name }) => `${actor} ${name}`).toSorted()).toEqual([
        'ada@example.com default',
        'eve@example.com default',
        'eve@example.com default',
      ])
    } finally {
      await people.close()
    }
  })
})
