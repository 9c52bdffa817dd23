import { randomUUID } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { periodically } from '@mcpg/core/periodically'
import type { PassedOver } from '@mcpg/proto/rest/operations'
import type { Db, OperationStart, StartOutcome, Tx } from '../db/db.ts'
import { turn } from '../turns.ts'
import { place, type PlaceableCluster, type PlacementRequest } from './placement.ts'
import { allocatorStore } from './store.ts'

export type { PlacementRequest } from './placement.ts'

/** What a gateway takes. */
export type Amounts = { gateways: number; cpuMillicores: number; memoryBytes: number }

export type Beginning = Omit<OperationStart, 'candidates' | 'reservation'>
type Started = Exclude<StartOutcome, { outcome: 'full' }>

/** Candidates of one attempt; when all are lost to others meanwhile, placement is asked again. */
const candidatesAtOnce = 5
const attempts = 8
/** A reservation that is held belongs to an operation; without one at work it is given back after this. */
const heldMs = 600_000
const sweepMs = 60_000

export type Allocator = ReturnType<typeof allocator>

/**
 * Decides where managed gateways run. Placement is a pure function of the clusters as they were read; what counts is the one conditional
 * statement that reserves, in the transaction in which the operation begins, so more than there is can never be given away.
 */
export function allocator({ db, clock, log }: { db: Db; clock: Clock; log: Pick<Log, 'warn'> }) {
  const store = allocatorStore(db)
  let snapshot: Promise<PlaceableCluster[]> | null = null
  const part = periodically({
    name: 'reservations',
    clock,
    everyMs: sweepMs,
    work: sweep,
    failed: (error) => log.warn({ err: error }, 'old reservations could not be looked through'),
  })
  return {
    part,
    sweep,
    begin,
    beginMore,
    amountsOf: store.committedOf,
    commit: (tx: Tx, operationId: string, less: Amounts) => store.commit(tx, operationId, less, isoNow()),
    release: (tx: Tx, operationId: string) => store.release(tx, operationId, isoNow()),
    releaseOf: (tx: Tx, gatewayUid: string) => store.releaseOf(tx, gatewayUid, isoNow()),
  }

  /** Begins an operation on the best cluster that has room; without one it says why of each. */
  async function begin(
    request: PlacementRequest,
    beginning: Beginning,
  ): Promise<Started | { outcome: 'no_capacity'; passedOver: PassedOver[] }> {
    let passedOver: PassedOver[] = []
    for (let attempt = 0; attempt < attempts; attempt++) {
      const found = place(request, await clustersNow(), clock.now())
      passedOver = found.passedOver
      if (found.ranked.length === 0) break
      const candidates = found.ranked.slice(0, candidatesAtOnce).map(({ id, name }) => ({ id, name }))
      const outcome = await db.startOperation({ ...beginning, candidates, reservation: held(request) })
      if (outcome.outcome !== 'full') return outcome
      passedOver = [...passedOver, ...candidates.map(({ name }) => ({ cluster: name, reason: 'taken', detail: 'others were faster' }))]
    }
    return { outcome: 'no_capacity', passedOver }
  }

  /** Read after it was asked for, and once for all who ask in the same turn. */
  function clustersNow(): Promise<PlaceableCluster[]> {
    snapshot ??= turn().then(() => {
      snapshot = null
      return store.clusters()
    })
    return snapshot
  }

  /** Begins an operation of a gateway that stays where it is and may need more; 'full' where its cluster has not got it. */
  async function beginMore(cluster: { id: string; name: string }, more: Amounts, beginning: Beginning): Promise<StartOutcome> {
    return await db.startOperation({ ...beginning, candidates: [cluster], reservation: held(more) })
  }

  function held({ gateways, cpuMillicores, memoryBytes }: Amounts): NonNullable<OperationStart['reservation']> {
    const expiresAt = new Date(clock.now() + heldMs).toISOString()
    return { id: `rsv_${randomUUID().replaceAll('-', '')}`, gateways, cpuMillicores, memoryBytes, expiresAt }
  }

  /** Gives back what is held for nobody. */
  async function sweep(): Promise<void> {
    for (const { operationId, isRunning } of await store.expired(isoNow())) {
      const until = new Date(clock.now() + heldMs).toISOString()
      await db.write((tx) => (isRunning ? store.extend(tx, operationId, until) : store.release(tx, operationId, isoNow())))
      if (!isRunning) log.warn({ operationId }, 'a reservation that no operation is at work for was given back')
    }
  }

  function isoNow(): string {
    return new Date(clock.now()).toISOString()
  }
}
