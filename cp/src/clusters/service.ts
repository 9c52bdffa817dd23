import { randomBytes } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { durationMs } from '@mcpg/proto/durations'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import type {
  ChangeCluster,
  Cluster,
  ClusterDrain,
  ClusterDriver,
  ClusterGateways,
  ClusterHealth,
  DecommissionCluster,
  DrainCluster,
  KubernetesAccess,
  RegisterCluster,
  RegisteredCluster,
} from '@mcpg/proto/rest/clusters'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db, Tx } from '../db/db.ts'
import type { Driver, Workloads } from './drivers/driver.ts'
import { clusterOf, healthOf, moveOf, type MoveFrom } from './shown.ts'
import type { ClusterRow, ClusterStore, HeldGateway, NewCluster } from './store.ts'

export type Clusters = ReturnType<typeof clusterService>

/**
 * What is kept of how a cluster is reached: sealed, and bound to it; `before` is what was kept. Throws McpgError `invalid` for what can
 * never work.
 */
export type SealAccess = (clusterId: string, access: KubernetesAccess, before?: string | null) => string

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
    const driver = driverFor('local')
    if (!driver) return
    const known = await store.findByName(localName)
    if (known && (known.state === 'decommissioned' || known.driver !== 'local')) return
    const body = { name: localName, region: localName, gatewaysMax: localGateways, isolationTier: 'shared', driver: 'local' } as const
    const made = known ? null : newRow(body)
    const row = known ?? made!
    const totals = await driver.on(row).probe()
    await db.write(async (tx) => {
      if (made) await store.insert(tx, made)
      await store.setTotals(tx, row.id, totals, isoNow())
    })
  }

  async function list(caller: Caller): Promise<Cluster[]> {
    refuseStranger(caller)
    return (await store.list()).map(clusterOf)
  }

  async function health(caller: Caller): Promise<ClusterHealth[]> {
    refuseStranger(caller)
    return (await store.list()).filter(({ state }) => state !== 'decommissioned').map(healthOf)
  }

  async function get(caller: Caller, word: string): Promise<Cluster> {
    refuseStranger(caller)
    return clusterOf(await must(word))
  }

  /** Who has a place there, and of a cluster that is drained who moves away and how far that is. */
  async function gateways(word: string): Promise<ClusterGateways> {
    const { id, drain: how } = await must(word)
    const [items, moves, all] = await Promise.all([store.gatewaysOf(id), how ? movesFrom(id, how.startedAt) : [], store.list()])
    return { items, moves: moves.map((move) => moveOf(move, all.find((one) => one.id === move.clusterId)?.name)) }
  }

  /** The same name with the same values is the same cluster; with others a conflict that says which differ. */
  async function register(caller: Caller, body: RegisterCluster): Promise<RegisteredCluster> {
    const known = await store.findByName(body.name)
    if (known) return await renewed(same(known, body), body)
    refuseNeedlessAccess(body)
    const made = newRow(body)
    const row = { ...made, credentialsRef: body.kubernetes ? sealAccess(made.id, body.kubernetes) : null }
    const totals = await reach(row)?.probe()
    await db.write(async (tx) => {
      if (await store.findByName(body.name, tx)) throw taken(body.name)
      await store.insert(tx, row)
      if (totals) await store.setTotals(tx, row.id, totals, isoNow())
      await audit.record(tx, caller, 'cluster.register', { ...targetOf(row), detail: { driver: row.driver, region: row.region } })
    })
    return { ...clusterOf(await must(row.id)), ...hinted(totals ? 'ready' : 'registering', totals?.warnings) }
  }

  /** The same cluster with credentials is reached with these from then on, if they work. */
  async function renewed(cluster: RegisteredCluster, body: RegisterCluster): Promise<RegisteredCluster> {
    refuseNeedlessAccess(body)
    if (!body.kubernetes) return cluster
    const { id } = cluster
    const credentialsRef = sealAccess(id, body.kubernetes)
    const totals = await reach({ ...(await must(id)), credentialsRef })?.probe()
    await db.write(async (tx) => {
      await refuseLeavingBehind((await store.find(id, tx))!, credentialsRef, tx)
      await store.setAccess(tx, id, credentialsRef, isoNow())
      if (totals) await store.setTotals(tx, id, totals, isoNow())
    })
    const row = await must(id)
    return { ...clusterOf(row), ...hinted(row.state, totals?.warnings) }
  }

  /** Nothing is changed that gateways were placed by; less than is reserved is refused, and so is what the cluster cannot be reached with. */
  async function change(caller: Caller, word: string, body: ChangeCluster): Promise<RegisteredCluster> {
    const known = await must(word)
    const { id } = known
    if (body.kubernetes) refuseNeedlessAccess({ kubernetes: body.kubernetes, driver: known.driver })
    const credentialsRef = body.kubernetes ? sealAccess(id, body.kubernetes, known.credentialsRef) : known.credentialsRef
    const after = amountsAfter(known, body)
    const looks = body.kubernetes !== undefined || (known.totalsGiven && !after.totalsGiven)
    const totals = looks ? await reach({ ...known, credentialsRef })?.probe() : undefined
    await db.write(async (tx) => {
      const row = (await store.find(id, tx))!
      if (row.state === 'decommissioned') throw wrongState(row, 'in use')
      refuseLess(row, after)
      if (body.kubernetes && credentialsRef !== null) await refuseLeavingBehind(row, credentialsRef, tx)
      const access = body.kubernetes && { credentialsRef }
      await store.change(tx, id, { ...after, labels: body.labels ?? row.labels, ...access }, isoNow())
      if (totals) await store.setTotals(tx, id, totals, isoNow())
      await audit.record(tx, caller, 'cluster.change', { ...targetOf(row), detail: { fields: Object.keys(body) } })
    })
    const row = await must(id)
    return { ...clusterOf(row), ...hinted(row.state, totals?.warnings) }
  }

  async function refuseLeavingBehind(row: ClusterRow, credentialsRef: string, tx: Tx): Promise<void> {
    const why = driverFor(row.driver)?.unreachableBy?.(row, { ...row, credentialsRef }) ?? []
    const gateways = why.length > 0 ? await store.gatewaysOf(row.id, tx) : []
    if (gateways.length === 0) return
    const what = gateways.length === 1 ? 'a gateway is' : `${gateways.length} gateways are`
    throw new McpgError('failed_precondition', 'cluster_in_use', `On the cluster ${row.name} ${what}: ${why.join('; ')}.`, {
      hint: `mcpg-ctl cluster drain ${row.name} moves them away, or register it a second time under another --name`,
    })
  }

  /** Null where nothing here knows such clusters, or the cluster has no credentials yet. */
  function reach(row: NewCluster): Workloads | null {
    const driver = driverFor(row.driver)
    return driver && !(driver.needsCredentials && row.credentialsRef === null) ? driver.on(row) : null
  }

  function same(known: ClusterRow, body: RegisterCluster): RegisteredCluster {
    if (known.state === 'decommissioned')
      throw new McpgError('conflict', 'cluster_name_taken', `The cluster ${body.name} was decommissioned, and its name stays with it.`, {
        hint: 'register it under another --name',
      })
    const differing = differences(known, body)
    if (differing.length > 0)
      throw new McpgError(
        'conflict',
        'cluster_exists',
        `There is a cluster ${body.name} already, with other values: ${differing.map(({ detail }) => detail).join('; ')}.`,
        {
          violations: differing,
          hint: `register the other one under another --name; mcpg-ctl cluster set ${known.name} changes how much this one takes, and its labels`,
        },
      )
    return { ...clusterOf(known), ...hinted(known.state) }
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
    return clusterOf(await must(id))
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
    return clusterOf(await must(id))
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
    return clusterOf(await must(id))
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
  async function driversIn(): Promise<{ id: string; name: string; region: string; driver: Driver | null }[]> {
    const rows = (await store.list()).filter(({ state }) => state !== 'decommissioned')
    return rows.map(({ id, name, region, driver }) => ({ id, name, region, driver: driverFor(driver) }))
  }

  /** By id or name. */
  async function must(word: string): Promise<ClusterRow> {
    const row = (await store.find(word)) ?? (await store.findByName(word))
    if (row) return row
    throw new McpgError('not_found', 'cluster_unknown', `There is no cluster ${word}.`, { hint: 'mcpg-ctl cluster list' })
  }

  function driverFor(kind: ClusterDriver): Driver | null {
    return drivers.find((driver) => driver.kind === kind) ?? null
  }

  /** Until a probe has found it usable. */
  function newRow(body: RegisterCluster): NewCluster {
    const now = isoNow()
    const given = body.cpuMillicoresTotal !== undefined || body.memoryBytesTotal !== undefined
    return {
      id: `cl_${randomBytes(8).toString('hex')}`,
      name: body.name,
      driver: body.driver,
      state: 'registering',
      region: body.region,
      isolationTier: body.isolationTier,
      labels: body.labels ?? {},
      gatewaysMax: body.gatewaysMax,
      cpuMillicoresTotal: body.cpuMillicoresTotal ?? null,
      memoryBytesTotal: body.memoryBytesTotal ?? null,
      totalsGiven: given,
      credentialsRef: null,
      message: 'It has no credentials yet.',
      lastProbeAt: null,
      createdAt: now,
      updatedAt: now,
    }
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

function differences(known: ClusterRow, body: RegisterCluster): Violation[] {
  const pairs: [field: string, before: unknown, now: unknown][] = [
    ['region', known.region, body.region],
    ['gatewaysMax', known.gatewaysMax, body.gatewaysMax],
    ['isolationTier', known.isolationTier, body.isolationTier],
    ['driver', known.driver, body.driver],
    ['labels', sorted(known.labels), sorted(body.labels ?? {})],
    ['cpuMillicoresTotal', known.totalsGiven ? known.cpuMillicoresTotal : null, body.cpuMillicoresTotal ?? null],
    ['memoryBytesTotal', known.totalsGiven ? known.memoryBytesTotal : null, body.memoryBytesTotal ?? null],
  ]
  return pairs
    .filter(([, before, now]) => before !== now)
    .map(([field, before, now]) => ({ pointer: `/${field}`, detail: `${field} is ${before ?? 'not given'}, not ${now ?? 'left out'}` }))
}

const sorted = (labels: Record<string, string>): string => JSON.stringify(Object.entries(labels).sort())

function hinted(state: ClusterRow['state'], warnings: string[] = []): { hint?: string } {
  if (state === 'registering')
    return {
      hint: 'Nothing is placed on it until it has credentials: the same command again, with --kubeconfig or --server and --token-file.',
    }
  return warnings.length > 0 ? { hint: warnings.join(' ') } : {}
}

type Amounts = Pick<ClusterRow, 'gatewaysMax' | 'cpuMillicoresTotal' | 'memoryBytesTotal' | 'totalsGiven'>

/** Totals that probes have found count as given by nobody. */
function amountsAfter(row: Amounts, { gatewaysMax, cpuMillicoresTotal, memoryBytesTotal }: ChangeCluster): Amounts {
  const after = (asked: number | null | undefined, before: number | null) =>
    asked === undefined ? (row.totalsGiven ? before : null) : asked
  const [cpu, memory] = [after(cpuMillicoresTotal, row.cpuMillicoresTotal), after(memoryBytesTotal, row.memoryBytesTotal)]
  const totalsGiven = cpu !== null || memory !== null
  const found = !totalsGiven && !row.totalsGiven
  return {
    gatewaysMax: gatewaysMax ?? row.gatewaysMax,
    cpuMillicoresTotal: found ? row.cpuMillicoresTotal : cpu,
    memoryBytesTotal: found ? row.memoryBytesTotal : memory,
    totalsGiven,
  }
}

function refuseLess(row: ClusterRow, { gatewaysMax, cpuMillicoresTotal, memoryBytesTotal }: Amounts): void {
  const pairs: [field: string, asked: number | null, reserved: number][] = [
    ['gatewaysMax', gatewaysMax, row.gatewaysReserved],
    ['cpuMillicoresTotal', cpuMillicoresTotal, row.cpuMillicoresReserved],
    ['memoryBytesTotal', memoryBytesTotal, row.memoryBytesReserved],
  ]
  const violations = pairs
    .filter(([, asked, reserved]) => asked !== null && asked < reserved)
    .map(([field, asked, reserved]) => ({ pointer: `/${field}`, detail: `${asked} is less than the ${reserved} that are reserved` }))
  if (violations.length === 0) return
  throw new McpgError('failed_precondition', 'cluster_too_full', `Gateways on the cluster ${row.name} have more than that already.`, {
    violations,
    hint: `mcpg-ctl cluster drain ${row.name} moves them away`,
  })
}

function refuseNeedlessAccess({ kubernetes, driver }: Pick<RegisterCluster, 'kubernetes' | 'driver'>): void {
  if (!kubernetes || driver === 'kubernetes') return
  throw new McpgError('invalid', 'invalid_cluster', `A cluster of the driver ${driver} takes no credentials.`, {
    violations: [{ pointer: '/kubernetes', detail: 'goes with the driver kubernetes only' }],
  })
}

const taken = (name: string) =>
  new McpgError('conflict', 'cluster_exists', `There is a cluster ${name} already.`, { hint: 'mcpg-ctl cluster list' })

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

const wrongState = ({ name, state }: ClusterRow, wanted: string) =>
  new McpgError('failed_precondition', 'cluster_state', `The cluster ${name} is ${state}, not ${wanted}.`, {
    hint: 'mcpg-ctl cluster list',
  })

const targetOf = ({ id, name }: Pick<ClusterRow, 'id' | 'name'>) => ({ kind: 'Cluster', name, uid: id })
