import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { localCaller } from '../access/caller.ts'
import { auditTrail } from '../audit/audit.ts'
import type { Db } from '../db/db.ts'
import { silent, testDatabase } from '../db/testing.ts'
import { operationId } from '../operations/operation-id.ts'
import { allocator, type Amounts, type Allocator, type Beginning, type PlacementRequest } from './allocator.ts'

const MiB = 2 ** 20
const clock = fakeClock()
const caller = localCaller({ source: '127.0.0.1', requestId: 'r' })
const at = () => new Date(clock.now()).toISOString()
let db: Db
let close: () => Promise<void>
let allocate: Allocator
beforeAll(async () => {
  ;({ db, close } = await testDatabase())
  allocate = allocator({ db, clock, log: silent })
  await db.write((tx) => tx.environment.create({ data: { org: 'o', workspace: 'w', name: 'e', createdAt: at() } }))
})
afterAll(() => close())
beforeEach(async () => {
  await db.write(async (tx) => {
    for (const table of [tx.cluster, tx.reservation, tx.operation, tx.operationEvent, tx.managedGateway, tx.audit] as {
      deleteMany(): Promise<unknown>
    }[])
      await table.deleteMany()
  })
})

async function cluster(id: string, values: { gatewaysMax?: number; cpuMillicoresTotal?: bigint; memoryBytesTotal?: bigint } = {}) {
  const row = { driver: 'local', state: 'ready', region: 'eu', isolationTier: 'shared', labels: '{}', gatewaysMax: 12, totalsGiven: true }
  await db.write((tx) => tx.cluster.create({ data: { ...row, id, name: id, createdAt: at(), updatedAt: at(), ...values } }))
}

const size: Amounts = { gateways: 1, cpuMillicores: 250, memoryBytes: 512 * MiB }
const request = (values: Partial<PlacementRequest> = {}): PlacementRequest => ({
  org: 'o',
  ...size,
  region: null,
  isolationTier: 'shared',
  allowHigherTier: false,
  selector: [],
  strategy: 'binpack',
  siblings: new Set(),
  excluded: new Map(),
  ...values,
})

function beginning(name: string, values: Partial<Beginning> = {}): Beginning {
  const id = operationId(clock.now())
  return {
    at: at(),
    operation: {
      id,
      org: 'o',
      workspace: 'w',
      environment: 'e',
      kind: 'create',
      gateway: name,
      gatewayUid: `${name}-uid`,
      clusterId: null,
      activeKey: `o/w/e/${name}`,
      state: 'running',
      phase: 'allocating',
      step: 'workload',
      leaseOwner: 'me',
      leaseUntil: at(),
      input: '{}',
      errorReason: null,
      errorMessage: null,
      startedBy: 'local',
      finishedAt: null,
    },
    events: [{ phase: 'allocating', step: 'reserved', status: 'done', message: 'reserved on {cluster}', data: null }],
    gateway: 'new',
    parameters: '{}',
    hostname: null,
    audit: { ...auditTrail({ db, clock }).row(caller, 'gateway.provision_create', { name }) },
    answer: null,
    ...values,
  }
}

/** Of each cluster what the table says, and what its reservations say. */
async function sums() {
  const rows = await db.read.cluster.findMany({ orderBy: { id: 'asc' } })
  const reservations = await db.read.reservation.findMany({ where: { state: { not: 'released' } } })
  return rows.map(({ id, gatewaysReserved, cpuMillicoresReserved, memoryBytesReserved, gatewaysMax }) => {
    const own = reservations.filter(({ clusterId }) => clusterId === id)
    const total = (pick: (one: (typeof own)[0]) => bigint | number) => own.reduce((sum, one) => sum + Number(pick(one)), 0)
    return {
      gatewaysMax,
      table: [gatewaysReserved, Number(cpuMillicoresReserved), Number(memoryBytesReserved)],
      reservations: [total((one) => one.gateways), total((one) => one.cpuMillicores), total((one) => one.memoryBytes)],
    }
  })
}

describe('a hundred at once where there is room for sixty', () => {
  it('are sixty operations with everything they need, and forty that are told why by each cluster', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await cluster(id)
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, index) => allocate.begin(request(), beginning(`g${index}`))))
    const started = outcomes.filter(({ outcome }) => outcome === 'started')
    const lost = outcomes.flatMap((one) => (one.outcome === 'no_capacity' ? [one.passedOver] : []))
    expect([started.length, lost.length]).toEqual([60, 40])
    for (const passedOver of lost)
      expect(passedOver.map(({ cluster: name, reason }) => `${name} ${reason}`).sort()).toEqual(
        ['a', 'b', 'c', 'd', 'e'].map((id) => `${id} gateways`),
      )
    for (const { table, reservations, gatewaysMax } of await sums()) {
      expect(table).toEqual(reservations)
      expect(table[0]).toBe(gatewaysMax)
    }
    const counts = [
      db.read.operation.count(),
      db.read.reservation.count(),
      db.read.operationEvent.count(),
      db.read.managedGateway.count(),
      db.read.audit.count(),
    ]
    expect(await Promise.all(counts)).toEqual([60, 60, 60, 60, 60])
    expect((await db.read.operationEvent.findFirst())?.message).toMatch(/^reserved on [a-e]$/)
  })

  it('have each their own outcome, whatever the others of their transaction lead to', async () => {
    await cluster('a', { gatewaysMax: 4 })
    const running = beginning('running')
    await allocate.begin(request(), running)
    const twice = beginning('twice')
    const elsewhere = beginning('elsewhere')
    const starts = [
      beginning('running'),
      twice,
      beginning('twice'),
      { ...elsewhere, operation: { ...elsewhere.operation, environment: 'gone', activeKey: 'o/w/gone/elsewhere' } },
      beginning('third'),
      beginning('fourth'),
      beginning('fifth'),
    ]
    const outcomes = await Promise.all(starts.map((start) => allocate.begin(request(), start)))
    expect(outcomes).toMatchObject([
      { outcome: 'in_progress', operationId: running.operation.id },
      { outcome: 'started', clusterId: 'a' },
      { outcome: 'in_progress', operationId: twice.operation.id },
      { outcome: 'no_environment' },
      { outcome: 'started' },
      { outcome: 'started' },
      { outcome: 'no_capacity', passedOver: [{ cluster: 'a', reason: 'gateways' }] },
    ])
    const [one] = await sums()
    expect(one!.table).toEqual(one!.reservations)
  })

  it('take no more together than the quotas of their organization and environment allow', async () => {
    await cluster('a')
    const row = { org: 'o', workspace: '', environment: '', cpuMillicoresMax: 1_000n, updatedAt: at() }
    const ofEnvironment = { ...row, workspace: 'w', environment: 'e', cpuMillicoresMax: null, gatewaysMax: 3 }
    await db.write((tx) => tx.quota.createMany({ data: [row, ofEnvironment] }))
    try {
      await db.write((tx) => tx.environment.create({ data: { org: 'o', workspace: 'w', name: 'f', createdAt: at() } }))
      const elsewhere = (name: string) => {
        const one = beginning(name)
        return { ...one, operation: { ...one.operation, environment: 'f', activeKey: `o/w/f/${name}` } }
      }
      const starts = [...['a', 'b', 'c', 'd'].map((name) => beginning(name)), ...['e', 'f'].map((name) => elsewhere(name))]
      const outcomes = await Promise.all(starts.map((start) => allocate.begin(request(), start)))
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['started', 'started', 'started', 'quota', 'started', 'quota'])
      expect(outcomes[3]).toMatchObject({ exceeded: [{ quota: 'w/e', amount: 'gateways', used: 3, of: 3, asked: 1 }] })
      expect(outcomes[5]).toMatchObject({ exceeded: [{ quota: 'org', amount: 'cpuMillicores', used: 1_000, of: 1_000, asked: 250 }] })
    } finally {
      await db.write((tx) => tx.quota.deleteMany())
    }
  })

  it('are not kept from beginning by one that the database refuses', async () => {
    await cluster('a')
    const one = beginning('one')
    const broken = { ...beginning('broken'), audit: one.audit }
    const outcomes = await Promise.allSettled([one, broken, beginning('two')].map((start) => allocate.begin(request(), start)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((await sums())[0]!.table[0]).toBe(2)
    expect(await db.read.managedGateway.count()).toBe(2)
  })

  it('never take more of any dimension than there is, whatever they ask for', async () => {
    await cluster('cpu', { gatewaysMax: 100, cpuMillicoresTotal: 3_000n })
    await cluster('memory', { gatewaysMax: 100, memoryBytesTotal: BigInt(6_000 * MiB) })
    await cluster('gateways', { gatewaysMax: 7 })
    const asked = Array.from({ length: 100 }, (_, index) => ({
      gateways: 1 + (index % 3),
      cpuMillicores: 100 * (1 + (index % 5)),
      memoryBytes: 128 * MiB * (1 + (index % 7)),
    }))
    const outcomes = await Promise.all(asked.map((amounts, index) => allocate.begin(request(amounts), beginning(`g${index}`))))
    expect(outcomes.filter(({ outcome }) => outcome === 'started').length).toBeGreaterThan(10)
    for (const { table, reservations, gatewaysMax } of await sums()) {
      expect(table).toEqual(reservations)
      expect(table[0]).toBeLessThanOrEqual(gatewaysMax)
    }
    const rows = new Map((await db.read.cluster.findMany()).map((row) => [row.id, row]))
    expect(Number(rows.get('cpu')!.cpuMillicoresReserved)).toBeLessThanOrEqual(3_000)
    expect(Number(rows.get('memory')!.memoryBytesReserved)).toBeLessThanOrEqual(6_000 * MiB)
  })
})

describe('the table itself', () => {
  it('refuses more than there is, whoever writes it', async () => {
    await cluster('a', { cpuMillicoresTotal: 1_000n, memoryBytesTotal: 1_000n })
    for (const data of [
      { gatewaysReserved: 13 },
      { cpuMillicoresReserved: 1_001n },
      { memoryBytesReserved: 1_001n },
      { gatewaysReserved: -1 },
    ])
      await expect(db.write((tx) => tx.cluster.update({ where: { id: 'a' }, data }))).rejects.toThrow(/clusters_capacity/)
  })
})

describe('a beginning', () => {
  it('is refused while another operation is at work on the name, or the place or the name is not free', async () => {
    await cluster('a')
    const first = beginning('one')
    expect(await allocate.begin(request(), first)).toEqual({ outcome: 'started', clusterId: 'a' })
    expect(await allocate.begin(request(), beginning('one'))).toEqual({ outcome: 'in_progress', operationId: first.operation.id })
    await db.write((tx) => tx.operation.update({ where: { id: first.operation.id }, data: { activeKey: null, state: 'succeeded' } }))
    expect(await allocate.begin(request(), beginning('one'))).toEqual({ outcome: 'changed' })
    const elsewhere = beginning('two')
    expect(await allocate.begin(request(), { ...elsewhere, operation: { ...elsewhere.operation, environment: 'gone' } })).toEqual({
      outcome: 'no_environment',
    })
    expect((await sums())[0]!.table[0]).toBe(1)
  })

  it('of a gateway that needs more goes to its own cluster, or nowhere', async () => {
    await cluster('a', { cpuMillicoresTotal: 600n })
    await allocate.begin(request(), beginning('one'))
    await db.write((tx) => tx.operation.updateMany({ data: { activeKey: null } }))
    const more = { gateways: 0, cpuMillicores: 250, memoryBytes: 0 }
    const known = () => ({ ...beginning('one', { gateway: 'known' as const }) })
    const begun = known()
    expect((await allocate.beginMore({ id: 'a', name: 'a' }, more, begun)).outcome).toBe('started')
    await db.write((tx) => allocate.commit(tx, begun.operation.id, { gateways: 0, cpuMillicores: 0, memoryBytes: -256 * MiB }))
    await db.write((tx) => tx.operation.updateMany({ data: { activeKey: null } }))
    expect((await allocate.beginMore({ id: 'a', name: 'a' }, more, known())).outcome).toBe('full')
    const [one] = await sums()
    expect(one!.table).toEqual([1, 500, 256 * MiB])
    expect(one!.table).toEqual(one!.reservations)
  })
})

describe('a reservation', () => {
  it('is given back once, by its operation or with everything of its gateway', async () => {
    await cluster('a')
    const [one, two] = [beginning('one'), beginning('two')]
    await allocate.begin(request(), one)
    await allocate.begin(request(), two)
    for (let time = 0; time < 2; time++) await db.write((tx) => allocate.release(tx, one.operation.id))
    await db.write((tx) => allocate.commit(tx, two.operation.id, { gateways: 0, cpuMillicores: 0, memoryBytes: 0 }))
    expect(await allocate.amountsOf('two-uid')).toEqual(size)
    for (let time = 0; time < 2; time++) await db.write((tx) => allocate.releaseOf(tx, 'two-uid'))
    expect((await sums())[0]).toMatchObject({ table: [0, 0, 0], reservations: [0, 0, 0] })
  })

  it('that is held for nobody is swept after its time, and one of an operation at work is not', async () => {
    await cluster('a')
    const [dead, alive] = [beginning('dead'), beginning('alive')]
    await allocate.begin(request(), dead)
    await allocate.begin(request(), alive)
    await db.write((tx) => tx.operation.update({ where: { id: dead.operation.id }, data: { state: 'failed' } }))
    await allocate.sweep()
    expect((await sums())[0]!.table[0]).toBe(2)
    await clock.advance(601_000)
    await allocate.sweep()
    const left = await db.read.reservation.findMany({ where: { state: 'held' } })
    expect(left.map(({ operationId: id }) => id)).toEqual([alive.operation.id])
    expect((await sums())[0]!.table[0]).toBe(1)
  })
})
