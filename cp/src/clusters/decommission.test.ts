import { afterEach, describe, expect, it } from 'vitest'
import type { Knobs } from '../../test/fake-agent.ts'
import { fakeDriver } from '../../test/fake-driver.ts'
import { environment, testFleet, until, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
afterEach(() => fleet.close())

const json = { accept: 'application/json' }
const gateways = `${environment}/gateways`

/** A cluster `local` with these gateways; people sign in, so that the trail says who. */
async function begin(names: string[] = [], timers = '', options: { knobs?: Knobs; attests?: boolean } = {}) {
  const cluster = fakeDriver({ fleet: () => fleet, ...options })
  const short = `operationLease=300,operationRetry=5,provisionStep=5000,provisionConfig=5000${timers}`
  fleet = await testFleet({ authMode: 'local', managed: { drivers: [cluster.driver] }, timers: short })
  for (const name of names) expect(await ended(await create(name))).toMatchObject({ state: 'succeeded' })
  return cluster
}

const create = async (name: string): Promise<string> => (await fleet.call('POST', gateways, { name }, json)).body.operationId
const changed = async (name: string): Promise<string> => (await fleet.call('POST', gateways, { name, size: 'm' }, json)).body.operationId
const operation = async (id: string) => (await fleet.call('GET', `/v1/operations/${id}`)).body
const ended = (id: string) => until(async () => ((await operation(id)).state === 'running' ? null : await operation(id)), 15_000)
const decommission = (body: object = {}, word = 'local') => fleet.call('POST', `/v1/admin/clusters/${word}/decommission`, body)
const cluster = async () => (await fleet.call('GET', '/v1/clusters/local')).body
const trail = async () => {
  const rows = await fleet.db().read.audit.findMany({ where: { action: 'cluster.decommission' }, orderBy: { at: 'asc' } })
  return rows.map(({ actor, name, detail }) => ({ actor, name, ...JSON.parse(detail!) }))
}

/** Whatever happened: nothing is reserved for nobody, and nothing is known of a cluster that is gone. */
async function expectWhole(): Promise<void> {
  const { read } = fleet.db()
  const [clusters, managed] = await Promise.all([read.cluster.findMany(), read.managedGateway.findMany()])
  const open = await read.reservation.findMany({ where: { state: { not: 'released' } } })
  for (const { id, state, gatewaysReserved, cpuMillicoresReserved, memoryBytesReserved } of clusters) {
    const own = open.filter(({ clusterId }) => clusterId === id)
    expect(gatewaysReserved).toBe(own.reduce((sum, one) => sum + one.gateways, 0))
    expect(cpuMillicoresReserved).toBe(own.reduce((sum, one) => sum + one.cpuMillicores, 0n))
    expect(memoryBytesReserved).toBe(own.reduce((sum, one) => sum + one.memoryBytes, 0n))
    if (state === 'decommissioned') expect([own, managed.filter(({ clusterId }) => clusterId === id)]).toEqual([[], []])
  }
  expect(await read.operation.count({ where: { state: 'running' } })).toBe(0)
}

describe('a cluster is given up', () => {
  it('empty: at once, and the same again says the same; its name stays with it', async () => {
    await begin()
    const first = await decommission()
    expect([first.status, first.body.state]).toEqual([200, 'decommissioned'])
    for (const body of [{}, { force: true }]) expect((await decommission(body)).body).toEqual(first.body)
    expect((await decommission({}, first.body.id)).body).toEqual(first.body)
    expect(await trail()).toEqual([{ actor: expect.stringContaining('@'), name: 'local', force: false, keepRunning: false, gateways: [] }])
    const again = await fleet.call('POST', '/v1/admin/clusters', { name: 'local', region: 'local', gatewaysMax: 10, driver: 'local' })
    expect([again.status, again.body.reason]).toEqual([409, 'cluster_name_taken'])
    for (const verb of ['cordon', 'uncordon', 'drain'])
      expect([verb, (await fleet.call('POST', `/v1/admin/clusters/local/${verb}`, verb === 'drain' ? {} : undefined)).status]).toEqual([
        verb,
        409,
      ])
    expect((await decommission({}, 'nobody')).status).toBe(404)
    await expectWhole()
  })

  it('with gateways: not, and they are named', async () => {
    const { workloads } = await begin(['one', 'two'])
    const refused = await decommission()
    expect([refused.status, refused.body.reason]).toEqual([409, 'cluster_not_empty'])
    expect(refused.body.detail).toContain('2 gateways run on it (default/default/default/one, default/default/default/two)')
    expect((await cluster()).state).toBe('ready')
    expect([workloads.size, await trail()]).toEqual([2, []])
    await expectWhole()
  })

  it('by force: with its gateways, whose credentials are void, and the trail says by whom', async () => {
    const { workloads } = await begin(['one', 'two'])
    const uids = [...workloads.keys()]
    expect((await decommission({ force: true })).body).toMatchObject({ state: 'decommissioned', gateways: { reserved: 0 } })
    await until(async () => workloads.size === 0)
    expect(await fleet.db().read.gateway.count()).toBe(0)
    expect(await trail()).toEqual([
      expect.objectContaining({ actor: expect.stringContaining('@'), force: true, gateways: uids.toSorted() }),
    ])
    await expectWhole()
  })

  it('by force while it cannot be reached: its gateways are shut out although they run on', async () => {
    const { workloads, fails } = await begin(['one'], ',clusterProbe=40')
    fails.push(...Array<'probe'>(200).fill('probe'))
    await until(async () => (await cluster()).state === 'unreachable')
    fails.push('remove', 'stop')
    const [left] = [...workloads.values()]
    expect((await decommission({ force: true })).body.state).toBe('decommissioned')
    expect([workloads.size, await fleet.db().read.gateway.count()]).toEqual([1, 0])
    left!.agent.connect()
    expect((await fleet.call('GET', `${gateways}/one`)).status).toBe(404)
    await expectWhole()
  })

  it('by force, its gateways kept: they serve on as they did, without a cluster', async () => {
    const { workloads } = await begin(['one'])
    expect((await decommission({ keepRunning: true })).status).toBe(400)
    expect((await decommission({ force: true, keepRunning: true })).body).toMatchObject({
      state: 'decommissioned',
      gateways: { reserved: 0 },
    })
    expect(await fleet.gateway('one')).toMatchObject({ spec: { origin: 'enrolled' }, status: { connection: 'online' } })
    expect(workloads.size).toBe(1)
    expect(await trail()).toEqual([expect.objectContaining({ force: true, keepRunning: true })])
    expect((await fleet.call('DELETE', `${gateways}/one`)).status).toBe(204)
    await expectWhole()
  })

  it('by force while a gateway is changed: it does not come back by what the change takes back', async () => {
    const knobs: Knobs = {}
    const { workloads } = await begin(['one'], '', { knobs })
    knobs.silent = true
    // Its one agent goes, so that the change waits for it.
    for (const { agent } of workloads.values()) agent.disconnect()
    await until(async () => (await fleet.gateway('one')).status.connection !== 'online')
    const id = await changed('one')
    await until(async () => (await operation(id)).step === 'config_applied')
    expect((await decommission({ force: true })).status).toBe(200)
    expect((await ended(id)).state).toMatch(/cancelled|failed/)
    await until(async () => workloads.size === 0)
    expect(await fleet.db().read.gateway.count()).toBe(0)
    await expectWhole()
  })

  it('by force, its gateways kept, while one of them is changed: it serves on', async () => {
    const { workloads, fails } = await begin(['one'])
    fails.push('apply', 'apply', 'apply')
    const id = await changed('one')
    expect((await decommission({ force: true, keepRunning: true })).status).toBe(200)
    await ended(id)
    expect((await fleet.gateway('one')).status.connection).toBe('online')
    expect(workloads.size).toBe(1)
    await expectWhole()
  })

  it('by force, and the process ends before credentials are void: the next one does it', async () => {
    const { workloads } = await begin(['one'], ',clusterProbe=30')
    await fleet.db().write(async (tx) => {
      await tx.managedGateway.deleteMany()
      await tx.reservation.updateMany({ data: { state: 'released' } })
      const nothing = { gatewaysReserved: 0, cpuMillicoresReserved: 0n, memoryBytesReserved: 0n }
      await tx.cluster.updateMany({ data: { ...nothing, state: 'decommissioned' } })
    })
    await fleet.restart()
    await until(async () => (await fleet.db().read.gateway.count()) === 0)
    // Asked for again, it also takes away what runs there still.
    expect((await decommission({ force: true })).status).toBe(200)
    await until(async () => workloads.size === 0)
    await expectWhole()
  })

  it.each([{}, { force: true }])(
    'while gateways are created, with %o: each is whole or gone, and the answer fits',
    async (body) => {
      const { workloads } = await begin()
      const asked = [1, 2, 3, 4].map((index) => create(`g${index}`))
      const answer = await decommission(body)
      const operations = await Promise.all((await Promise.all(asked)).map(ended))
      const made = operations.filter(({ state }) => state === 'succeeded')
      if (answer.status === 409)
        expect([answer.body.reason, made.length, (await cluster()).state]).toEqual(['cluster_not_empty', 4, 'ready'])
      else expect([answer.status, made.length, (await cluster()).state]).toEqual([200, 0, 'decommissioned'])
      await until(async () => workloads.size === made.length)
      expect(await fleet.db().read.gateway.count()).toBe(made.length)
      await expectWhole()
    },
    60_000,
  )
})
