import { afterEach, describe, expect, it } from 'vitest'
import type { ClusterMove } from '@mcpg/proto/rest/clusters'
import type { Operation } from '@mcpg/proto/rest/operations'
import type { AtStep } from '../operations/operations.ts'
import { fakeDriver } from '../../test/fake-driver.ts'
import type { Knobs } from '../../test/fake-agent.ts'
import { environment, testFleet, until, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
afterEach(() => fleet.close())

const json = { accept: 'application/json' }
const gateways = `${environment}/gateways`

/** A cluster `local` with these gateways, and where it says so a second one to move to. */
async function begin({
  names,
  elsewhere = true,
  atStep = async () => {},
  knobs = {},
}: {
  names: string[]
  elsewhere?: boolean
  atStep?: AtStep
  knobs?: Knobs
}) {
  const cluster = fakeDriver({ fleet: () => fleet, knobs })
  const timers = 'operationLease=300,operationRetry=10,provisionStep=5000,provisionConfig=5000,clusterDrain=40'
  fleet = await testFleet({ managed: { drivers: [cluster.driver], atStep }, timers })
  for (const name of names) await made(name)
  if (elsewhere) await register('other')
  return cluster
}

async function made(name: string) {
  const { body } = await fleet.call('POST', gateways, { name }, json)
  expect(await ended(body.operationId)).toMatchObject({ state: 'succeeded' })
}
const register = (name: string) =>
  fleet.call('POST', '/v1/admin/clusters', { name, region: 'eu', gatewaysMax: 20, driver: 'local', cpuMillicoresTotal: 9_000 })
const admin = (verb: string, body: object = {}) => fleet.call('POST', `/v1/admin/clusters/local/${verb}`, body)
const cluster = async (name = 'local') => (await fleet.call('GET', `/v1/clusters/${name}`)).body
const drained = () => until(async () => ((await cluster()).drain?.finishedAt ? await cluster() : null), 20_000)
const operation = async (id: string) => (await fleet.call('GET', `/v1/operations/${id}`)).body
const ended = (id: string) => until(async () => ((await operation(id)).state === 'running' ? null : await operation(id)))
const moves = async (): Promise<Operation[]> => {
  const { items } = (await fleet.call('GET', '/v1/orgs/default/operations')).body
  return (items as Operation[]).filter(({ kind }) => kind === 'move')
}

/** What runs, what is enrolled, what is known and what is reserved is the same. */
async function expectWhole(workloads: ReadonlyMap<string, unknown>, on: Record<string, number>): Promise<void> {
  const { read } = fleet.db()
  const managed = await read.managedGateway.findMany()
  const uids = managed.map(({ instanceUid }) => instanceUid).toSorted()
  expect([...workloads.keys()].toSorted()).toEqual(uids)
  expect((await read.gateway.findMany()).map(({ instanceUid }) => instanceUid).toSorted()).toEqual(uids)
  const clusters = await read.cluster.findMany()
  const open = await read.reservation.findMany({ where: { state: { not: 'released' } } })
  for (const { id, name, gatewaysReserved, cpuMillicoresReserved } of clusters) {
    expect([name, gatewaysReserved]).toEqual([name, on[name] ?? 0])
    expect(managed.filter(({ clusterId }) => clusterId === id)).toHaveLength(gatewaysReserved)
    const own = open.filter(({ clusterId }) => clusterId === id)
    expect(own.map(({ state }) => state)).toEqual(own.map(() => 'committed'))
    expect(own.reduce((sum, one) => sum + one.cpuMillicores, 0n)).toBe(cpuMillicoresReserved)
  }
}

describe('a cluster that is drained', () => {
  it('moves its gateways one after the other, with name and labels, and can be given up then', async () => {
    const { workloads } = await begin({ names: ['one', 'two', 'three'] })
    const before = [...workloads.keys()]
    await fleet.call('PATCH', `${gateways}/two`, { labels: { role: 'edge' } })
    const begun = await admin('drain', { deadline: '1h' })
    expect(begun.body).toMatchObject({ state: 'draining', drain: { total: 3, startedBy: 'local', expired: false } })
    expect(begun.body.drain.deadline).toMatch(/Z$/)
    expect((await drained()).drain).toMatchObject({ left: 0, moving: 0, waiting: [], expired: false })
    const { items, moves: away } = (await fleet.call('GET', '/v1/admin/clusters/local/gateways')).body
    expect(items).toEqual([])
    const left = away.map(({ name, cluster: to, state }: ClusterMove) => `${name} to ${to}: ${state}`).toSorted()
    expect(left).toEqual(['one to other: succeeded', 'three to other: succeeded', 'two to other: succeeded'])
    for (const name of ['one', 'two', 'three']) {
      const gateway = await fleet.gateway(name)
      expect(gateway).toMatchObject({ spec: { origin: 'managed' }, status: { connection: 'online' } })
      expect(before).not.toContain(gateway.spec.instanceUid)
    }
    expect((await fleet.gateway('two')).metadata.labels).toMatchObject({ role: 'edge' })
    await expectWhole(workloads, { local: 0, other: 3 })
    const done = (await moves()).toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1))
    expect(done.map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded'])
    for (const [index, one] of done.slice(1).entries()) expect(one.createdAt >= done[index]!.finishedAt!).toBe(true)
    expect((await admin('decommission')).body.state).toBe('decommissioned')
  }, 60_000)

  it('with nowhere to go says why of each, leaves all serving, and goes on as soon as there is room', async () => {
    const { workloads } = await begin({ names: ['one', 'two'], elsewhere: false })
    await admin('drain')
    const stuck = await until(async () => ((await cluster()).drain.waiting.length === 2 ? await cluster() : null))
    expect(stuck.drain).toMatchObject({ left: 2, moving: 0 })
    expect(stuck.drain.waiting).toEqual([
      { gateway: 'default/default/default/one', why: 'local: it is draining' },
      { gateway: 'default/default/default/two', why: 'local: it is draining' },
    ])
    expect((await fleet.gateway('one')).status.connection).toBe('online')
    expect(await moves()).toEqual([])
    await expectWhole(workloads, { local: 2 })
    await register('other')
    await drained()
    await expectWhole(workloads, { other: 2 })
  }, 60_000)

  it('stops at its deadline and says what is left', async () => {
    const { workloads } = await begin({ names: ['one'], elsewhere: false })
    await admin('drain', { deadline: '300ms' })
    const { drain, state } = await drained()
    expect([state, drain.expired, drain.left]).toEqual(['draining', true, 1])
    expect(drain.waiting).toEqual([{ gateway: 'default/default/default/one', why: 'local: it is draining' }])
    await register('other')
    expect((await cluster()).drain.left).toBe(1)
    await expectWhole(workloads, { local: 1 })
    await admin('drain')
    expect((await drained()).drain).toMatchObject({ left: 0, expired: false })
    await expectWhole(workloads, { other: 1 })
  }, 60_000)

  it('that is uncordoned moves nothing more, and takes back what is on its way', async () => {
    const knobs: Knobs = {}
    const { workloads } = await begin({ names: ['one', 'two'], knobs })
    const before = [...workloads.keys()].toSorted()
    knobs.silent = true
    await admin('drain')
    const moving = await until(async () => (await moves()).find(({ step }) => step === 'config_applied'))
    const kept = await admin('uncordon')
    expect([kept.body.state, kept.body.drain]).toEqual(['ready', undefined])
    expect(await ended(moving.id)).toMatchObject({ state: 'cancelled' })
    expect([...workloads.keys()].toSorted()).toEqual(before)
    await expectWhole(workloads, { local: 2 })
    expect(await moves()).toHaveLength(1)
  }, 60_000)
})

describe('a move', () => {
  it('that does not come up is taken back while the old installation serves, and is tried again later', async () => {
    const { workloads, fails } = await begin({ names: ['one'] })
    const [uid] = [...workloads.keys()]
    fails.push(...Array<'apply'>(5).fill('apply'))
    await admin('drain')
    const failed = await until(async () => (await moves()).find(({ state }) => state === 'failed'))
    expect(failed).toMatchObject({ error: { message: 'apply fails as planned' } })
    expect((await drained()).drain.left).toBe(0)
    expect([...workloads.keys()]).not.toContain(uid)
    expect((await moves()).map(({ state }) => state)).toEqual(['succeeded', 'failed'])
    await expectWhole(workloads, { other: 1 })
  }, 60_000)

  it('to a cluster that is given up at the last moment is taken back, and the old installation serves on', async () => {
    const { workloads } = await begin({
      names: ['one'],
      atStep: async ({ kind, compensating }, name, at) => {
        if (kind !== 'move' || compensating || name !== 'switched' || at !== 'before') return
        expect((await fleet.call('POST', '/v1/admin/clusters/other/decommission', { force: true })).status).toBe(200)
      },
    })
    const before = [...workloads.keys()]
    await admin('drain')
    await until(async () => (await moves()).find(({ state }) => state === 'failed' || state === 'cancelled'))
    await until(async () => (await cluster()).drain.waiting.length === 1)
    expect([...workloads.keys()]).toEqual(before)
    expect((await fleet.gateway('one')).status.connection).toBe('online')
    await expectWhole(workloads, { local: 1 })
  }, 60_000)

  it('is done although the old cluster does not let go, and says so', async () => {
    const { workloads, fails } = await begin({ names: ['one'] })
    const [uid] = [...workloads.keys()]
    fails.push(...Array<'remove'>(5).fill('remove'))
    await admin('drain')
    await drained()
    const [move] = await moves()
    expect(move).toMatchObject({ state: 'succeeded' })
    const rows = await fleet.db().read.operationEvent.findMany({ where: { operationId: move!.id, status: 'failed' } })
    expect(rows.map(({ step, message }) => `${step}: ${message}`)).toEqual(['old_removed: remove fails as planned'])
    expect(await fleet.db().read.gateway.findMany({ where: { instanceUid: uid! } })).toEqual([])
    workloads.delete(uid!)
    await expectWhole(workloads, { other: 1 })
  }, 60_000)

  const steps = 'workload rollout enrolled config_applied switched old_drained old_revoked old_removed'.split(' ')
  const points = steps.flatMap((step) => (['before', 'after'] as const).map((when) => ({ step, when })))
  it.each(points)(
    'whose control plane ends $when $step is finished by the next one',
    async ({ step, when }) => {
      let end = (_error: Error) => {}
      let reached = () => {}
      const isReached = new Promise<void>((resolve) => (reached = resolve))
      let isArmed = true
      const { workloads } = await begin({
        names: ['one'],
        atStep: async ({ kind }, name, at) => {
          if (!isArmed || kind !== 'move' || name !== step || at !== when) return
          isArmed = false
          reached()
          await new Promise<void>((_, reject) => (end = reject))
        },
      })
      await admin('drain')
      await isReached
      const restarting = fleet.restart()
      end(new Error('killed'))
      await restarting
      for (const { agent } of workloads.values()) agent.connect()
      expect((await drained()).drain).toMatchObject({ left: 0, moving: 0 })
      expect((await moves()).map(({ state }) => state)).toEqual(['succeeded'])
      expect((await fleet.gateway('one')).status.connection).toBe('online')
      await expectWhole(workloads, { other: 1 })
    },
    60_000,
  )
})
