import { afterEach, describe, expect, it } from 'vitest'
import type { OperationEvent } from '@mcpg/proto/rest/operations'
import type { AtStep } from '../operations/operations.ts'
import { fakeDriver } from '../../test/fake-driver.ts'
import { environment, testFleet, until, type TestFleet } from '../../test/fleet.ts'
import type { Knobs } from '../../test/fake-agent.ts'

let fleet: TestFleet
afterEach(() => fleet.close())

const json = { accept: 'application/json' }
const gateways = `${environment}/gateways`

async function begin({ atStep = async () => {}, knobs = {}, timers = '' }: { atStep?: AtStep; knobs?: Knobs; timers?: string } = {}) {
  const cluster = fakeDriver({ fleet: () => fleet, knobs })
  const managed = { drivers: [cluster.driver], atStep }
  fleet = await testFleet({ managed, timers: `operationLease=300,operationRetry=10,provisionStep=5000,provisionConfig=5000${timers}` })
  return cluster
}

const create = (body: object) => fleet.call('POST', gateways, body, json)
const remove = (name: string) => fleet.call('DELETE', `${gateways}/${name}`, undefined, json)
const operation = async (id: string) => (await fleet.call('GET', `/v1/operations/${id}`)).body
const ended = (id: string) => until(async () => ((await operation(id)).state === 'running' ? null : await operation(id)))

async function events(id: string, headers = {}) {
  const { status, body } = await fleet.call('GET', `/v1/operations/${id}/events`, undefined, headers)
  const texts = String(body)
    .split('\n\n')
    .filter((text) => text.startsWith('event:'))
  return { status, events: texts.map((text) => JSON.parse(/^data: (.*)$/m.exec(text)![1]!) as OperationEvent) }
}

/** What is reserved is what is there, and nothing is there for nobody. */
async function expectInvariants(workloads: ReadonlyMap<string, unknown>): Promise<void> {
  const db = fleet.db()
  const [clusters, reservations, rows] = await Promise.all([
    db.read.cluster.findMany(),
    db.read.reservation.findMany(),
    db.read.managedGateway.findMany(),
  ])
  const open = reservations.filter(({ state }) => state !== 'released')
  expect(open.every(({ state }) => state === 'committed')).toBe(true)
  expect(clusters.map((one) => [one.gatewaysReserved, one.cpuMillicoresReserved])).toEqual([
    [open.reduce((sum, one) => sum + one.gateways, 0), open.reduce((sum, one) => sum + one.cpuMillicores, 0n)],
  ])
  const uids = rows.map(({ instanceUid }) => instanceUid).sort()
  expect([...workloads.keys()].sort()).toEqual(uids)
  expect(rows.every(({ state }) => state === 'ready')).toBe(true)
  expect((await db.read.gateway.findMany()).map(({ instanceUid }) => instanceUid).sort()).toEqual(uids)
}

describe('a managed gateway', () => {
  it('is made step by step until its first config is applied, changed in place, and deleted without a trace', async () => {
    const { workloads, applied } = await begin()
    const started = await create({ name: 'edge' })
    expect([started.status, started.headers['location']]).toEqual([202, `/v1/operations/${started.body.operationId}`])
    expect(started.body.instanceUid).toMatch(/^edge-[0-9a-f]{6}$/)
    const made = await ended(started.body.operationId)
    expect(made).toMatchObject({ kind: 'create', state: 'succeeded', phase: 'ready', cluster: 'local', gateway: { name: 'edge' } })
    const told = (await events(made.id)).events
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_, index) => index + 1))
    expect([...new Set(told.map(({ phase }) => phase))]).toEqual(['allocating', 'applying', 'ready'])
    expect(told.filter(({ status }) => status === 'done').map(({ step }) => step)).toEqual(
      'filtering reserved workload rollout enrolled config_applied ready'.split(' '),
    )
    const gateway = await fleet.gateway('edge')
    expect(gateway).toMatchObject({ spec: { origin: 'managed', instanceUid: started.body.instanceUid }, status: { connection: 'online' } })
    await expectInvariants(workloads)

    const bigger = await ended((await create({ name: 'edge', size: 'm' })).body.operationId)
    expect(bigger).toMatchObject({ kind: 'update', state: 'succeeded', gateway: { instanceUid: started.body.instanceUid } })
    expect(applied.at(-1)).toBe(`${started.body.instanceUid} m`)
    expect(Number((await fleet.db().read.cluster.findFirst())!.cpuMillicoresReserved)).toBe(500)
    expect(bigger.parameters).toMatchObject({ size: 'm', replicas: 1, imageTag: 'latest' })
    expect((await fleet.call('GET', `${gateways}/edge/deployment`)).body).toMatchObject({
      instanceUid: started.body.instanceUid,
      cluster: { name: 'local', isolationTier: 'shared' },
      state: 'ready',
      parameters: { size: 'm' },
    })
    await ended((await create({ name: 'edge', size: 's' })).body.operationId)
    expect(Number((await fleet.db().read.cluster.findFirst())!.cpuMillicoresReserved)).toBe(250)
    await expectInvariants(workloads)

    const deleted = await ended((await remove('edge')).body.operationId)
    expect(deleted).toMatchObject({ kind: 'delete', state: 'succeeded' })
    expect((await fleet.call('GET', `${gateways}/edge`)).status).toBe(404)
    expect(workloads.size).toBe(0)
    await expectInvariants(workloads)
    const history = (await fleet.call('GET', '/v1/orgs/default/operations')).body.items
    expect(history.map(({ kind }: { kind: string }) => kind)).toEqual(['delete', 'update', 'update', 'create'])
    const found = async (query: string) => (await fleet.call('GET', `/v1/orgs/default/operations?${query}`)).body.items.length
    expect(await Promise.all(['kind=update', 'state=failed', 'state=succeeded&kind=create', 'gateway=other'].map(found))).toEqual([
      2, 0, 1, 0,
    ])
  })

  it('is deployed with the image that its tag stood for, until it is given another tag', async () => {
    const { digests, fails } = await begin()
    const [one, two] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`]
    digests['stable'] = `stable@${one}`
    const deployed = async () => (await fleet.call('GET', `${gateways}/edge/deployment`)).body.parameters
    const made = await ended((await create({ name: 'edge', imageTag: 'stable' })).body.operationId)
    expect((await events(made.id)).events.map(({ message }) => message)).toContain(`the workload is there, with the image stable@${one}`)
    expect(await deployed()).toMatchObject({ imageTag: 'stable', image: `stable@${one}` })

    // Somebody has pushed another one: what runs is not changed by an update that is about something else.
    digests['stable'] = `stable@${two}`
    expect((await ended((await create({ name: 'edge', imageTag: 'stable', size: 'm' })).body.operationId)).state).toBe('succeeded')
    expect(await deployed()).toMatchObject({ size: 'm', image: `stable@${one}` })
    fails.push(...Array<'observe'>(5).fill('observe'))
    digests['next'] = `next@${two}`
    expect((await ended((await create({ name: 'edge', imageTag: 'next' })).body.operationId)).state).toBe('failed')
    expect(await deployed()).toMatchObject({ imageTag: 'stable', image: `stable@${one}` })
    expect((await ended((await create({ name: 'edge', imageTag: `next@${one}` })).body.operationId)).state).toBe('succeeded')
    expect(await deployed()).not.toHaveProperty('image')
    for (const imageTag of ['sha256:1', `${one}0`, 'a b', `tag@${one}@${two}`, '@', ''])
      expect([imageTag, (await create({ name: 'edge', imageTag })).status]).toEqual([imageTag, 400])
  }, 120_000)

  it('answers as a stream that ends, which resumes after any event and says nothing after the last', async () => {
    await begin()
    const streamed = await fleet.call('POST', gateways, { name: 'edge' })
    const id = String(streamed.headers['location']).split('/').at(-1)!
    expect(streamed.headers['content-type']).toMatch(/event-stream/)
    const all = (await events(id)).events
    expect(String(streamed.body).match(/^id: \d+$/gm)).toEqual(all.map(({ seq }) => `id: ${seq}`))
    for (const { seq } of all.slice(0, -1)) expect((await events(id, { 'last-event-id': String(seq) })).events).toEqual(all.slice(seq))
    expect((await events(id, { 'last-event-id': String(all.length) })).status).toBe(204)
    expect((await events(id, { 'last-event-id': 'x' })).status).toBe(400)
    expect(all.at(-1)!.gateway).toMatchObject({ name: 'edge', instanceUid: expect.stringMatching(/^edge-/) })
  })

  it('is refused in words where the request, the name or the room is wrong', async () => {
    await begin()
    await fleet.join('taken')
    const refused = async (body: object) => {
      const answer = await create({ name: 'edge', ...body })
      return [answer.status, answer.body.reason]
    }
    expect(await refused({ replicas: 2 })).toEqual([400, 'not_runnable'])
    expect(await refused({ region: 'mars' })).toEqual([400, 'region_unknown'])
    expect((await create({ name: 'edge', region: 'locla' })).body.detail).toContain('there are: local; did you mean local?')
    expect(await refused({ clusterSelector: 'a b' })).toEqual([400, 'selector_malformed'])
    expect(await refused({ replicas: 0, size: 'xxl' })).toEqual([400, 'invalid_request'])
    expect(await refused({ name: 'taken' })).toEqual([409, 'gateway_name_in_use'])
    expect((await create({ name: 'x'.repeat(57) })).status).toBe(400)
    const nowhere = await create({ name: 'edge', isolationTier: 'dedicated' })
    const told = (await events(nowhere.body.operationId)).events.at(-1)!
    expect(told).toMatchObject({ phase: 'failed', error: { reason: 'no_capacity' }, passedOver: [{ cluster: 'local', reason: 'tier' }] })
    const unmanaged = await fleet.call('GET', `${gateways}/taken/deployment`)
    expect([unmanaged.status, unmanaged.body.reason]).toEqual([404, 'gateway_not_managed'])
    expect((await fleet.call('DELETE', `${gateways}/nobody`)).status).toBe(404)
    expect((await fleet.call('DELETE', `${gateways}/taken`)).status).toBe(204)
    expect((await fleet.call('POST', '/v1/operations/nobody/cancel')).status).toBe(404)
    await ended((await create({ name: 'edge' })).body.operationId)
    expect(await refused({ isolationTier: 'dedicated' })).toEqual([409, 'gateway_would_move'])
    expect(await refused({ clusterSelector: 'disk=ssd' })).toEqual([409, 'gateway_would_move'])
    // Where it is already is no other place.
    const same = (await create({ name: 'edge', region: 'local', isolationTier: 'shared' })).body.operationId
    expect((await ended(same)).state).toBe('succeeded')
  })

  it('has one operation at a time, and the same key is the same one', async () => {
    let go = () => {}
    const held = new Promise<void>((resolve) => (go = resolve))
    await begin({ atStep: (_, step, when) => (step === 'workload' && when === 'before' ? held : Promise.resolve()) })
    const key = { ...json, 'idempotency-key': 'k1' }
    const first = await fleet.call('POST', gateways, { name: 'edge' }, key)
    const again = await fleet.call('POST', gateways, { name: 'edge' }, key)
    expect(again.body).toEqual(first.body)
    expect((await fleet.call('POST', gateways, { name: 'edge', size: 'l' }, key)).status).toBe(422)
    for (const answer of [await create({ name: 'edge' }), await remove('edge')]) {
      expect([answer.status, answer.body.reason]).toEqual([409, 'operation_in_progress'])
      expect(answer.body.hint).toContain(`mcpg-ctl provision watch ${first.body.operationId}`)
    }
    go()
    expect((await ended(first.body.operationId)).state).toBe('succeeded')
  })
})

describe('when something goes wrong', () => {
  it('a step is tried again, and after five times everything is taken back with the reason', async () => {
    const { fails, workloads } = await begin()
    fails.push('observe')
    expect((await ended((await create({ name: 'edge' })).body.operationId)).state).toBe('succeeded')
    fails.push(...Array<'apply'>(5).fill('apply'))
    const failed = await ended((await create({ name: 'other' })).body.operationId)
    expect(failed).toMatchObject({ state: 'failed', phase: 'failed', error: { reason: 'planned', message: 'apply fails as planned' } })
    const told = (await events(failed.id)).events
    expect(told.filter(({ status }) => status === 'retrying')).toHaveLength(4)
    expect(told.at(-1)).toMatchObject({ phase: 'failed', error: { reason: 'planned' } })
    expect([...workloads.keys()]).toEqual([expect.stringMatching(/^edge-/)])
    await expectInvariants(workloads)
  }, 90_000)

  it('a gateway whose config never applies is taken back in reverse', async () => {
    const { workloads } = await begin({ knobs: { silent: true }, timers: ',provisionConfig=500' })
    await fleet.apply({ name: 'one', command: ['x'] })
    const failed = await ended((await create({ name: 'edge' })).body.operationId)
    expect(failed.error).toMatchObject({ reason: 'step_timeout', message: expect.stringMatching(/config/) })
    const told = (await events(failed.id)).events
    expect(told.filter(({ status }) => status === 'undone').map(({ step }) => step)).toEqual(['workload'])
    expect(workloads.size).toBe(0)
    await expectInvariants(workloads)
  }, 60_000)

  it('a workload that could not be taken back is removed later, and none that is kept or not ours', async () => {
    const { workloads, fails } = await begin({ timers: ',clusterProbe=40' })
    await ended((await create({ name: 'kept' })).body.operationId)
    const [known] = workloads.values()
    workloads.set('foreign-000000', known!)
    fails.push(...Array<'observe'>(5).fill('observe'), ...Array<'remove'>(5).fill('remove'))
    const failed = await ended((await create({ name: 'edge' })).body.operationId)
    expect(failed.state).toBe('failed')
    expect((await events(failed.id)).events.some(({ message }) => message.startsWith('could not be taken back'))).toBe(true)
    await until(async () => !workloads.has(failed.gateway.instanceUid))
    expect([...workloads.keys()].map((uid) => uid.slice(0, -7))).toEqual(['kept', 'foreign'])
    workloads.delete('foreign-000000')
    await expectInvariants(workloads)
  }, 60_000)

  it('a failed update has its previous parameters again', async () => {
    const { workloads, fails, applied } = await begin()
    const { instanceUid } = (await create({ name: 'edge' })).body
    await until(async () => (await fleet.db().read.managedGateway.findFirst({ where: { state: 'ready' } })) !== null)
    fails.push(...Array<'observe'>(5).fill('observe'))
    const update = await create({ name: 'edge', size: 'l' })
    expect((await ended(update.body.operationId)).state).toBe('failed')
    expect(applied.at(-1)).toBe(`${instanceUid} s`)
    expect(JSON.parse((await fleet.db().read.managedGateway.findFirst())!.parameters)).toMatchObject({ size: 's' })
    expect(Number((await fleet.db().read.cluster.findFirst())!.cpuMillicoresReserved)).toBe(250)
    await expectInvariants(workloads)
  }, 90_000)

  it('an operation that is cancelled takes back what it did, and one that has ended is not cancelled', async () => {
    const { workloads } = await begin({ knobs: { silent: true } })
    const { operationId } = (await create({ name: 'edge' })).body
    await until(async () => (await operation(operationId)).step === 'config_applied')
    expect((await fleet.call('POST', `/v1/operations/${operationId}/cancel`)).status).toBe(202)
    expect(await ended(operationId)).toMatchObject({ state: 'cancelled', error: { reason: 'cancelled' } })
    await expectInvariants(workloads)
    const late = await fleet.call('POST', `/v1/operations/${operationId}/cancel`)
    expect([late.status, late.body.reason]).toEqual([409, 'operation_finished'])
  }, 60_000)
})

const steps = {
  create: ['workload', 'rollout', 'enrolled', 'config_applied'],
  update: ['workload', 'rollout', 'config_applied', 'surplus_removed'],
  delete: ['drained', 'revoked', 'removed'],
}
const points = Object.entries(steps).flatMap(([kind, names]) =>
  names.flatMap((step) => (['before', 'after'] as const).map((when) => ({ kind, step, when }))),
)

describe('the control plane ends', () => {
  it.each(points)(
    '$when $step of $kind, and the next one finishes it',
    async ({ kind, step, when }) => {
      let end = (_error: Error) => {}
      let reached = () => {}
      const isReached = new Promise<void>((resolve) => (reached = resolve))
      let isArmed = true
      const { workloads } = await begin({
        atStep: async (row, name, at) => {
          if (!isArmed || row.kind !== kind || name !== step || at !== when) return
          isArmed = false
          reached()
          await new Promise<void>((_, reject) => (end = reject))
        },
      })
      const first = (await create({ name: 'edge' })).body
      if (kind !== 'create') await ended(first.operationId)
      const { operationId } =
        kind === 'create' ? first : (await (kind === 'update' ? create({ name: 'edge', size: 'm' }) : remove('edge'))).body
      await isReached
      // What it was doing ends with it: nothing more is written.
      const restarting = fleet.restart()
      end(new Error('killed'))
      await restarting
      for (const { agent } of workloads.values()) agent.connect()
      expect(await ended(operationId)).toMatchObject({ state: 'succeeded', kind })
      expect(workloads.size).toBe(kind === 'delete' ? 0 : 1)
      await expectInvariants(workloads)
      const told = (await events(operationId)).events
      expect(told.map(({ seq }) => seq)).toEqual(told.map((_, index) => index + 1))
    },
    60_000,
  )

  it('in the middle of taking something back, and the next one goes on taking it back', async () => {
    let end = (_error: Error) => {}
    let reached = () => {}
    const isReached = new Promise<void>((resolve) => (reached = resolve))
    let isArmed = true
    const { workloads } = await begin({
      knobs: { silent: true },
      timers: ',provisionConfig=500',
      atStep: async (row, name, at) => {
        if (!isArmed || !row.compensating || name !== 'workload' || at !== 'after') return
        isArmed = false
        reached()
        await new Promise<void>((_, reject) => (end = reject))
      },
    })
    const { operationId } = (await create({ name: 'edge' })).body
    await isReached
    const restarting = fleet.restart()
    end(new Error('killed'))
    await restarting
    expect(await ended(operationId)).toMatchObject({ state: 'failed', error: { reason: 'step_timeout' } })
    await expectInvariants(workloads)
  }, 60_000)
})

describe('a cluster', () => {
  it('that does not answer gets nothing new and is left alone for longer each time, until it answers again', async () => {
    const { fails } = await begin({ timers: ',clusterProbe=40' })
    // Until this test has seen what it wants: how long that takes is up to the machine.
    fails.push(...Array<'probe'>(50).fill('probe'))
    const local = async () => (await fleet.call('GET', '/v1/clusters/local')).body
    const lost = await until(async () => ((await local()).failureScore > 1.9 ? await local() : null))
    expect(lost).toMatchObject({ state: 'unreachable', message: 'probe fails as planned' })
    const nowhere = await create({ name: 'edge' })
    expect((await events(nowhere.body.operationId)).events.at(-1)!.passedOver).toMatchObject([{ cluster: 'local', reason: 'state' }])
    expect(fails.length).toBeGreaterThan(30)
    fails.length = 0
    const back = await until(async () => ((await local()).state === 'ready' ? await local() : null))
    expect(back).not.toHaveProperty('message')
    expect((await ended((await create({ name: 'edge' })).body.operationId)).state).toBe('succeeded')
  })

  it('is given up only when nothing is on it, or by force with everything, and the answer is the same again', async () => {
    const { workloads } = await begin()
    await ended((await create({ name: 'edge' })).body.operationId)
    const decommission = (body: object) => fleet.call('POST', '/v1/admin/clusters/local/decommission', body)
    const refused = await decommission({})
    expect([refused.status, refused.body.reason]).toEqual([409, 'cluster_not_empty'])
    expect(refused.body.detail).toContain('default/default/default/edge')
    const forced = await decommission({ force: true })
    expect(forced.body).toMatchObject({ state: 'decommissioned', gateways: { reserved: 0 } })
    await until(async () => workloads.size === 0)
    await expectInvariants(workloads)
    expect((await decommission({})).body).toEqual(forced.body)
    const nowhere = await create({ name: 'edge' })
    expect((await operation(nowhere.body.operationId)).error.message).toBe('There is no cluster; register one.')
    await fleet.restart()
    expect((await fleet.call('GET', '/v1/clusters/local')).body.state).toBe('decommissioned')
  })

  it('that is given up in the middle of a creation takes it along', async () => {
    let go = () => {}
    const held = new Promise<void>((resolve) => (go = resolve))
    let reached = () => {}
    const isReached = new Promise<void>((resolve) => (reached = resolve))
    const { workloads } = await begin({
      atStep: async (row, step, when) => {
        if (row.compensating || step !== 'config_applied' || when !== 'after') return
        reached()
        await held
      },
    })
    const { operationId } = (await create({ name: 'edge' })).body
    await isReached
    await fleet.call('POST', '/v1/admin/clusters/local/decommission', { force: true })
    go()
    expect((await ended(operationId)).state).toMatch(/cancelled|failed/)
    await until(async () => workloads.size === 0)
    await expectInvariants(workloads)
  })

  it('is registered once: the same again is the same, other values are a conflict, and a cordoned one gets nothing new', async () => {
    await begin()
    const body = { name: 'far', region: 'eu-west-1', gatewaysMax: 3 }
    const first = await fleet.call('POST', '/v1/admin/clusters', body)
    expect(first.body).toMatchObject({ state: 'registering', hint: expect.any(String) })
    expect((await fleet.call('POST', '/v1/admin/clusters', body)).body.id).toBe(first.body.id)
    const other = await fleet.call('POST', '/v1/admin/clusters', { ...body, gatewaysMax: 4 })
    expect([other.status, other.body.reason, other.body.errors]).toEqual([
      409,
      'cluster_exists',
      [{ pointer: '/gatewaysMax', detail: 'gatewaysMax is 3, not 4' }],
    ])
    expect((await fleet.call('POST', '/v1/admin/clusters', { ...body, gatewaysMax: 0 })).status).toBe(400)
    for (const time of [1, 2])
      expect([time, (await fleet.call('POST', '/v1/admin/clusters/local/cordon')).body.state]).toEqual([time, 'cordoned'])
    const nowhere = await create({ name: 'edge' })
    expect((await events(nowhere.body.operationId)).events.at(-1)!.passedOver).toMatchObject([{ reason: 'state' }, { reason: 'state' }])
    await fleet.call('POST', '/v1/admin/clusters/local/uncordon')
    expect((await ended((await create({ name: 'edge' })).body.operationId)).state).toBe('succeeded')
    const health = (await fleet.call('GET', '/v1/clusters/health')).body.items
    expect(health).toMatchObject([
      { name: 'far', healthy: false },
      { name: 'local', healthy: true, used: { gateways: 0.1 } },
    ])
  })
})
