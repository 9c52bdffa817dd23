import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeDriver, type FakeDriver } from '../../test/fake-driver.ts'
import { environment, testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
let cluster: FakeDriver
beforeEach(async () => {
  cluster = fakeDriver({ fleet: () => fleet, attests: true })
  fleet = await testFleet({ managed: { drivers: [cluster.driver] }, timers: 'operationRetry=10,clusterDrift=50' })
})
afterEach(() => fleet.close())

const json = { accept: 'application/json' }
const operation = async (id: string) => (await fleet.call('GET', `/v1/operations/${id}`)).body
const ended = (id: string) => until(async () => ((await operation(id)).state === 'running' ? null : await operation(id)), 90_000)
const register = (name: string, more: object = {}) =>
  fleet.call('POST', '/v1/admin/clusters', { name, region: 'local', gatewaysMax: 10, driver: 'local', ...more })

/** Where it went, or why it went nowhere. */
async function place(body: object, path = environment): Promise<string> {
  const { body: started } = await fleet.call('POST', `${path}/gateways`, { name: 'edge', ...body }, json)
  const { state, cluster: where, error } = await ended(started.operationId)
  return state === 'succeeded' ? where : error.message
}

describe('a gateway is placed', () => {
  it('by the labels of clusters, on the tier that is asked for, and on a higher one only where that is allowed', async () => {
    await register('strict', { isolationTier: 'sandboxed', labels: { disk: 'ssd', zone: 'b' } })
    await register('plain', { labels: { disk: 'hdd', zone: 'b' } })
    expect(await place({ name: 'a', clusterSelector: 'disk=hdd' })).toBe('plain')
    expect(await place({ name: 'b', isolationTier: 'sandboxed' })).toBe('strict')
    const refused = await place({ name: 'c', clusterSelector: 'disk=ssd' })
    expect(refused).toContain('strict: its tier is sandboxed, not shared; --allow-higher-tier takes it')
    expect(refused).toContain('plain: its labels do not match the selector')
    expect(await place({ name: 'c', clusterSelector: 'disk=ssd', allowHigherTier: true })).toBe('strict')
    expect(await place({ name: 'd', clusterSelector: 'zone=b,disk!=hdd', allowHigherTier: true })).toBe('strict')
  }, 240_000)

  it('with what its size takes, and a tenth more that stays free', async () => {
    await register('small', { labels: { size: 'small' }, cpuMillicoresTotal: 1_050 })
    const on = { clusterSelector: 'size=small' }
    const reserved = async () => (await fleet.call('GET', '/v1/clusters/small')).body.cpuMillicores.reserved
    expect(await place({ name: 'l', size: 'l', ...on })).toContain('small: 1050m CPU are free of 1050m; 1000m and a tenth more are needed')
    expect(await place({ name: 'm', size: 'm', ...on })).toBe('small')
    expect(await reserved()).toBe(500)
    expect(await place({ name: 'three', replicas: 3, ...on })).toContain('small: 550m CPU are free')
    expect(await place({ name: 's', ...on })).toBe('small')
    expect(await reserved()).toBe(750)
  }, 240_000)

  it('rather elsewhere than where one of its name runs for another environment, and there if nothing else has room', async () => {
    const there = { labels: { pair: 'yes' }, gatewaysMax: 2 }
    for (const name of ['one', 'two']) await register(name, there)
    for (const name of ['eu', 'us', 'asia']) await fleet.call('POST', `${workspace}/environments`, { name })
    const on = { clusterSelector: 'pair=yes' }
    const first = await place(on)
    const second = await place(on, `${workspace}/environments/eu`)
    expect([first, second].toSorted()).toEqual(['one', 'two'])
    // Without anything of its name a third fills up what is fuller.
    expect(await place({ ...on, name: 'other' })).toMatch(/^(one|two)$/)
    for (const name of ['us', 'asia'])
      expect([name, await place({ ...on, allowHigherTier: true }, `${workspace}/environments/${name}`)]).toEqual([
        name,
        name === 'us' ? expect.stringMatching(/^(one|two)$/) : expect.stringContaining('2 of 2 gateways are taken'),
      ])
  }, 240_000)
})

describe('a gateway that somebody changes on its cluster', () => {
  it('is put right by an update with the same values, once', async () => {
    await place({ size: 'm' })
    const { instanceUid } = (await fleet.call('GET', `${environment}/gateways/edge/deployment`)).body
    cluster.drifted.add(instanceUid)
    await until(async () => cluster.drifted.size === 0)
    const history = async () => (await fleet.call('GET', '/v1/orgs/default/operations')).body.items
    const [latest] = await until(async () => ((await history())[0].state === 'running' ? null : await history()))
    expect(latest).toMatchObject({ kind: 'update', state: 'succeeded', startedBy: 'control-plane', parameters: { size: 'm' } })
    expect(cluster.applied.at(-1)).toBe(`${instanceUid} m`)
    expect(await history()).toHaveLength(2)
  }, 60_000)
})
