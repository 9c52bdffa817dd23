import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { durationMs } from '@mcpg/proto/durations'
import { McpgError } from '@mcpg/proto/errors'
import type {
  Cluster,
  ClusterDrain,
  ClusterDriver,
  ClusterGateways,
  ClusterHealth,
  DecommissionCluster,
  DrainCluster,
} from '@mcpg/proto/rest/clusters'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db } from '../db/db.ts'
import type { Driver, Workloads } from './drivers/driver.ts'
import { clusterRegistration, newRow, type SealAccess } from './registration.ts'
import { clusterOf, healthOf, moveOf, type MoveFrom } from './shown.ts'
import { targetOf, wrongState } from './refusals.ts'
import type { ClusterRow, ClusterStore, HeldGateway, NewCluster } from './store.ts'

export type Clusters = ReturnType<typeof clusterService>

/** Of the gateways that keep a cluster, these are named. */
const mostNamed = 5
const localName = 'local'
const localGateways = 10

/** Where managed gateways may run: registered, looked at, kept from new ones, given up. */
export function clusterService({
  db,
  store,
  drivers,
  sealAccess,
  audit,
  clock,
  log,
  movesFrom,
  onKept,
  onForced,
  onRepeated,
  onDrain,
}: {
  db: Db
  store: ClusterStore
  drivers: readonly Driver[]
  sealAccess: SealAccess
  audit: Audit
  clock: Clock
  log: Pick<Log, 'warn'>
  /** Moves of gateways that left a cluster since then, the latest first. */
  movesFrom: (clusterId: string, since: string) => Promise<MoveFrom[]>
  /** These are to run on without their cluster, which is given up next. */
  onKept: (caller: Caller, gateways: HeldGateway[]) => Promise<void>
  /** What is left of a cluster that was given up with gateways on it: operations that are at work there, and these gateways. */
  onForced: (
    caller: Caller,
    gateways: HeldGateway[],
    about: { operations: string[]; workloads: Workloads | null; keepRunning: boolean },
  ) => Promise<void>
  /** It was given up by force already; what could not be removed then may be now. */
  onRepeated: (clusterId: string) => Promise<void>
  /** A cluster is to be drained, or not any more. */
  onDrain: (clusterId: string, what: 'drained' | 'kept') => Promise<void>
}) {
  const { register, change } = clusterRegistration({ db, store, sealAccess, audit, clock, driverOf, reach, must })
  return {
    ensureLocal,
    list,
    health,
    get,
    gateways,
    register,
    change,
    cordon,
    uncordon,
    drain,
    drains,
    noteDrain,
    decommission,
    workloadsOf,
    driversIn,
    find: must,
  }

  /** The cluster of this machine registers itself once; one that was given up does not come back. */
  async function ensureLocal(): Promise<void> {
    const driver = driverOf('local')
    if (!driver) return
    const known = await store.findByName(localName)
    if (known && (known.state === 'decommissioned' || known.driver !== 'local')) return
    const body = { name: localName, region: localName, gatewaysMax: localGateways, isolationTier: 'shared', driver: 'local' } as const
    const made = known ? null : newRow(body, isoNow())
    const row = known ?? made!
    const totals = await driver.on(row).probe()
    await db.write(async (tx) => {
      if (made) await store.insert(tx, made)
      await store.setTotals(tx, row.id, totals, isoNow())
    })
  }

  async function list(caller: Caller): Promise<Cluster[]> {
    refuseStranger(caller)
    return (await store.list()).map((row) => clusterOf(row, clock.now()))
  }

  async function health(caller: Caller): Promise<ClusterHealth[]> {
    refuseStranger(caller)
    return (await store.list()).filter(({ state }) => state !== 'decommissioned').map((row) => healthOf(row, clock.now()))
  }

  async function get(caller: Caller, word: string): Promise<Cluster> {
    refuseStranger(caller)
    return clusterOf(await must(word), clock.now())
  }

  /** Who has a place there, and of a cluster that is drained who moves away and how far that is. */
  async function gateways(word: string): Promise<ClusterGateways> {
    const { id, drain: how } = await must(word)
    const [items, moves, all] = await Promise.all([store.gatewaysOf(id), how ? movesFrom(id, how.startedAt) : [], store.list()])
    return { items, moves: moves.map((move) => moveOf(move, all.find((one) => one.id === move.clusterId)?.name)) }
  }

  /** Null where nothing here knows such clusters, or the cluster has no credentials yet. */
  function reach(row: NewCluster): Workloads | null {
    const driver = driverOf(row.driver)
    return driver && !(driver.needsCredentials && row.credentialsRef === null) ? driver.on(row) : null
  }

  async function cordon(caller: Caller, word: string): Promise<Cluster> {
    return await move(caller, word, 'cluster.cordon', { from: ['ready'], to: 'cordoned' })
  }

  async function uncordon(caller: Caller, word: string): Promise<Cluster> {
    const cluster = await move(caller, word, 'cluster.uncordon', { from: ['cordoned', 'draining'], to: 'ready' })
    await onDrain(cluster.id, 'kept')
    return cluster
  }

  /** Moves its gateways away, one by one and as far as there is room; again it sets another deadline. Nothing new is placed on it. */
  async function drain(caller: Caller, word: string, { deadline }: DrainCluster): Promise<Cluster> {
    const { id } = await must(word)
    await db.write(async (tx) => {
      const row = (await store.find(id, tx))!
      if (row.state === 'decommissioned' || row.state === 'registering') throw wrongState(row, 'ready')
      const total = (await store.gatewaysOf(id, tx)).length
      const until = deadline === undefined ? {} : { deadline: new Date(clock.now() + durationMs(deadline)).toISOString() }
      const begun = { startedAt: isoNow(), startedBy: caller.subject, total, left: total, moving: 0, waiting: [], expired: false }
      await store.startDrain(tx, id, { ...begun, ...until }, isoNow())
      await audit.record(tx, caller, 'cluster.drain', { ...targetOf(row), detail: { gateways: total, ...until } })
    })
    await onDrain(id, 'drained')
    return clusterOf(await must(id), clock.now())
  }

  /** The clusters that are being drained, as far as their gateways have come. */
  async function drains(): Promise<{ id: string; drain: ClusterDrain }[]> {
    const rows = await store.list()
    return rows.flatMap(({ id, state, drain: how }) =>
      state === 'draining' && how && how.finishedAt === undefined ? [{ id, drain: how }] : [],
    )
  }

  /** Unless somebody asked for something else meanwhile. */
  async function noteDrain(id: string, change: { before: ClusterDrain; after: ClusterDrain }): Promise<void> {
    await db.write((tx) => store.setDrain(tx, id, change, isoNow()))
  }

  /** Repeating it changes nothing. */
  async function move(
    caller: Caller,
    word: string,
    action: string,
    { from, to }: { from: ClusterRow['state'][]; to: ClusterRow['state'] },
  ): Promise<Cluster> {
    const { id } = await must(word)
    await db.write(async (tx) => {
      const row = (await store.find(id, tx))!
      if (row.state === to) return
      if (!from.includes(row.state)) throw wrongState(row, from.join(' or '))
      await store.setState(tx, id, to, isoNow())
      await audit.record(tx, caller, action, targetOf(row))
    })
    return clusterOf(await must(id), clock.now())
  }

  /**
   * Gives a cluster up; its row stays as a tombstone, and repeating it answers the same. While gateways or reservations are there it needs
   * `force`, which revokes and removes them, or only forgets where they run.
   */
  async function decommission(caller: Caller, word: string, { force, keepRunning }: DecommissionCluster): Promise<Cluster> {
    const { id, state } = await must(word)
    if (keepRunning && state !== 'decommissioned') await onKept(caller, await store.gatewaysOf(id))
    const left = await db.write(async (tx) => {
      const row = (await store.find(id, tx))!
      if (row.state === 'decommissioned') return null
      const gateways = await store.gatewaysOf(id, tx)
      const reserved = await store.heldReservations(id, tx)
      if (!force && (gateways.length > 0 || reserved > 0)) throw notEmpty(row, gateways, reserved)
      await store.bury(tx, id, isoNow())
      await audit.record(tx, caller, 'cluster.decommission', {
        ...targetOf(row),
        detail: { force, keepRunning, gateways: gateways.map(({ instanceUid }) => instanceUid) },
      })
      return { gateways, workloads: reach(row) }
    })
    // Read now: none begins there any more.
    const operations = left && force ? await store.operationsOf(id) : []
    if (left)
      await onForced(caller, left.gateways, { operations, workloads: left.workloads, keepRunning }).catch((error: unknown) =>
        log.warn({ err: error, cluster: word }, 'not everything of a decommissioned cluster could be removed'),
      )
    else if (force && !keepRunning)
      void onRepeated(id).catch((error: unknown) => log.warn({ err: error, cluster: word }, 'what was left there is still there'))
    return clusterOf(await must(id), clock.now())
  }

  /** How gateways run on a cluster; throws where nothing of this control plane can reach it. */
  async function workloadsOf(clusterId: string | null): Promise<Workloads> {
    const row = clusterId === null ? null : await store.find(clusterId)
    const workloads = row && reach(row)
    if (workloads) return workloads
    throw new McpgError('failed_precondition', 'cluster_unreachable', `Nothing here can reach the cluster ${row?.name ?? clusterId}.`, {
      hint: 'mcpg-ctl cluster health',
    })
  }

  /** The clusters that something could be placed on, each with its driver; null where nothing here can reach it. */
  async function driversIn(): Promise<(Pick<ClusterRow, 'id' | 'name' | 'region' | 'isolationTier'> & { driver: Driver | null })[]> {
    const rows = (await store.list()).filter(({ state }) => state !== 'decommissioned')
    return rows.map(({ id, name, region, isolationTier, driver }) => ({ id, name, region, isolationTier, driver: driverOf(driver) }))
  }

  /** By id or name. */
  async function must(word: string): Promise<ClusterRow> {
    const row = (await store.find(word)) ?? (await store.findByName(word))
    if (row) return row
    throw new McpgError('not_found', 'cluster_unknown', `There is no cluster ${word}.`, { hint: 'mcpg-ctl cluster list' })
  }

  function driverOf(kind: ClusterDriver): Driver | null {
    return drivers.find((driver) => driver.kind === kind) ?? null
  }

  function isoNow(): string {
    return new Date(clock.now()).toISOString()
  }
}

/** Whoever provisions anywhere may see where. */
function refuseStranger(caller: Caller): void {
  const wanted = ['provision', 'cluster-admin', '*']
  if (caller.grants.some((grant) => 'operations' in grant && grant.operations.some((one) => wanted.includes(one)))) return
  throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not do this: it needs the operation provision or cluster-admin.`, {
    hint: 'mcpg-ctl can-i --list',
  })
}

function notEmpty({ name }: ClusterRow, gateways: HeldGateway[], reserved: number): McpgError {
  const named = gateways.slice(0, mostNamed).map((one) => `${one.org}/${one.workspace}/${one.environment}/${one.name}`)
  const what =
    gateways.length === 0
      ? `${reserved} ${reserved === 1 ? 'reservation is' : 'reservations are'} held on it`
      : `${gateways.length} ${gateways.length === 1 ? 'gateway runs' : 'gateways run'} on it (${named.join(', ')}${gateways.length > named.length ? ', …' : ''})`
  return new McpgError('conflict', 'cluster_not_empty', `The cluster ${name} cannot be decommissioned: ${what}.`, {
    hint: 'mcpg-ctl provision delete takes each of them away; --force revokes and removes them all',
    violations: gateways.slice(0, mostNamed).map((one, index) => ({ pointer: `/gateways/${index}`, detail: one.instanceUid })),
  })
}
