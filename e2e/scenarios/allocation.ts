import { systemClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import type { PassedOver } from '@mcpg/proto/rest/operations'
import { ProvisionGateway } from '@mcpg/proto/rest/provisioning'
import { join } from 'node:path'
import { localCaller } from '../../cp/src/access/caller.ts'
import { allocator } from '../../cp/src/allocator/allocator.ts'
import { auditTrail } from '../../cp/src/audit/audit.ts'
import { openDatabase, type Db } from '../../cp/src/db/db.ts'
import { readPostgresUrl } from '../../cp/src/db/postgresql/address.ts'
import type { DatabaseSettings } from '../../cp/src/db/settings.ts'
import { beginnings } from '../../cp/src/provisioning/beginning.ts'
import { placementFor } from '../../cp/src/provisioning/placing.ts'
import { provisioningService } from '../../cp/src/provisioning/service.ts'
import { provisioningStore } from '../../cp/src/provisioning/store.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { newPostgresDatabase } from '../harness/database.ts'

const clusterNames = ['a', 'b', 'c', 'd', 'e']
const gatewaysEach = 12
const room = clusterNames.length * gatewaysEach
const askers = 100

export type Allocation = {
  rounds: number
  wrong: string[]
  /** Milliseconds from asking for the reserving transaction to its answer: of one alone, and of a hundred that wait for each other. */
  alone: number[]
  together: number[]
}

/** A hundred creations at once where there is room for sixty, as the service of the control plane begins them; no workload is started. */
export async function allocate({ postgres, rounds }: { postgres: string | null; rounds: number }): Promise<Allocation> {
  const db = await openDatabase(await settingsOf(postgres), createLog({ level: 'silent', json: true }))
  const times: number[] = []
  const provisioning = await serviceOn(timed(db, times))
  const [wrong, alone, together]: [string[], number[], number[]] = [[], [], []]
  const ask = (name: string) => provisioning.provision(caller, scope, ProvisionGateway.parse({ name }))
  try {
    await ask('warm-up')
    for (let round = 1; round <= rounds; round++) {
      await empty(db)
      times.length = 0
      const started = await Promise.all(Array.from({ length: askers }, (_, index) => ask(`g${round}-${index}`)))
      together.push(...times)
      const ids = started.map(({ operationId }) => operationId)
      wrong.push(...(await wrongIn(db, ids)).map((what) => `round ${round}: ${what}`))

      await empty(db)
      times.length = 0
      for (let index = 0; index < gatewaysEach; index++) await ask(`alone${round}-${index}`)
      alone.push(...times)
    }
    return { rounds, wrong, alone, together }
  } finally {
    await db.stop()
  }
}

const scope = { org: 'o', workspace: 'w', environment: 'e' }
const caller = localCaller({ source: '127.0.0.1', requestId: 'allocation' })
const now = () => new Date().toISOString()

async function settingsOf(postgres: string | null): Promise<DatabaseSettings> {
  const migrationsFolder = new URL(`../../cp/prisma/${postgres === null ? 'sqlite' : 'postgresql'}/migrations`, import.meta.url).pathname
  if (postgres === null) return { engine: 'sqlite', path: join(temporaryFolder(), 'mcpg.db'), migrationsFolder }
  const read = readPostgresUrl(await newPostgresDatabase(postgres))
  if ('problems' in read) throw new Error(read.problems.join('; '))
  return { engine: 'postgresql', address: read.address, migrationsFolder }
}

const timed = (db: Db, times: number[]): Db => ({
  ...db,
  async startOperation(start) {
    const began = performance.now()
    const outcome = await db.startOperation(start)
    times.push(performance.now() - began)
    return outcome
  },
})

async function serviceOn(db: Db) {
  const row = { driver: 'local', state: 'ready', region: 'eu', isolationTier: 'shared', labels: '{}', totalsGiven: true }
  await db.write(async (tx) => {
    await tx.environment.create({ data: { org: 'o', workspace: 'w', name: 'e', createdAt: now() } })
    for (const id of clusterNames)
      await tx.cluster.create({ data: { ...row, id, name: id, gatewaysMax: gatewaysEach, createdAt: now(), updatedAt: now() } })
  })
  const log = createLog({ level: 'silent', json: true })
  const clusters = {
    driversIn: async () => clusterNames.map((id) => ({ id, name: id, region: 'eu', isolationTier: 'shared' as const, driver: null })),
    find: async (word: string) => {
      throw new Error(`nobody asks for ${word}`)
    },
  }
  const store = provisioningStore(db)
  return provisioningService({
    db,
    store,
    allocator: allocator({ db, clock: systemClock, log }),
    clusters,
    placement: placementFor({ clusters, store }),
    beginningOf: beginnings({
      audit: auditTrail({ db, clock: systemClock }),
      clock: systemClock,
      lease: () => ({ leaseOwner: 'nobody', leaseUntil: now() }),
    }),
    requireCovered: async () => {},
    take: async () => {},
    requireEnvironment: async () => {},
  })
}

async function empty(db: Db): Promise<void> {
  await db.write(async (tx) => {
    await tx.operationEvent.deleteMany()
    await tx.operation.deleteMany()
    await tx.reservation.deleteMany()
    await tx.managedGateway.deleteMany()
    await tx.cluster.updateMany({ data: { gatewaysReserved: 0, cpuMillicoresReserved: 0n, memoryBytesReserved: 0n } })
  })
}

/** Sixty begun, forty told why by each cluster, and what clusters say is reserved is what reservations add up to. */
async function wrongIn({ read }: Db, ids: string[]): Promise<string[]> {
  const [operations, last, clusters, reservations, managed] = await Promise.all([
    read.operation.findMany({ where: { id: { in: ids } } }),
    read.operationEvent.findMany({ where: { operationId: { in: ids }, phase: 'failed' } }),
    read.cluster.findMany(),
    read.reservation.findMany({ where: { state: { not: 'released' } } }),
    read.managedGateway.findMany(),
  ])
  const begun = operations.filter(({ state }) => state === 'running')
  const lost = operations.filter(({ state, errorReason }) => state === 'failed' && errorReason === 'no_capacity')
  const told = last.filter(({ data }) => {
    const { passedOver = [] } = JSON.parse(data ?? '{}') as { passedOver?: PassedOver[] }
    return clusterNames.every((name) => passedOver.some(({ cluster, detail }) => cluster === name && detail !== ''))
  })
  const counts = [begun.length, lost.length, told.length, reservations.length, managed.length]
  const wanted = [room, askers - room, askers - room, room, room]
  return [
    ...(counts.join() === wanted.join()
      ? []
      : [`begun, lost, told why, reservations, gateways are ${counts.join(', ')}, not ${wanted.join(', ')}`]),
    ...clusters.flatMap(({ name, id, gatewaysReserved, cpuMillicoresReserved }) => {
      const own = reservations.filter(({ clusterId }) => clusterId === id)
      const cpu = own.reduce((sum, one) => sum + one.cpuMillicores, 0n)
      return gatewaysReserved === gatewaysEach && own.length === gatewaysEach && cpu === cpuMillicoresReserved
        ? []
        : [`${name} says ${gatewaysReserved}, and ${own.length} reservations are there`]
    }),
  ]
}
