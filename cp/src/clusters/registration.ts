import { randomBytes } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import type { ChangeCluster, ClusterDriver, KubernetesAccess, RegisterCluster, RegisteredCluster } from '@mcpg/proto/rest/clusters'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db, Tx } from '../db/db.ts'
import type { Driver, Workloads } from './drivers/driver.ts'
import { clusterOf } from './shown.ts'
import { targetOf, wrongState } from './refusals.ts'
import type { ClusterRow, ClusterStore, NewCluster } from './store.ts'

/**
 * What is kept of how a cluster is reached: sealed, and bound to it; `before` is what was kept. Throws McpgError `invalid` for what can
 * never work.
 */
export type SealAccess = (clusterId: string, access: KubernetesAccess, before?: string | null) => string

/** How a cluster becomes known, and what is said of it later: both look at it first. */
export function clusterRegistration({
  db,
  store,
  sealAccess,
  audit,
  clock,
  driverOf,
  reach,
  must,
}: {
  db: Db
  store: ClusterStore
  sealAccess: SealAccess
  audit: Audit
  clock: Pick<Clock, 'now'>
  driverOf: (kind: ClusterDriver) => Driver | null
  /** Null where nothing here knows such clusters, or the cluster has no credentials yet. */
  reach: (row: NewCluster) => Workloads | null
  /** By id or name. */
  must: (word: string) => Promise<ClusterRow>
}) {
  const isoNow = () => new Date(clock.now()).toISOString()
  return { register, change }

  /** The same name with the same values is the same cluster; with others a conflict that says which differ. */
  async function register(caller: Caller, body: RegisterCluster): Promise<RegisteredCluster> {
    const known = await store.findByName(body.name)
    refuseNeedlessAccess(body)
    // The same cluster with credentials is reached with these from then on, if they work.
    if (known) {
      const cluster = same(known, body, clock.now())
      return body.kubernetes ? await change(caller, cluster.id, { kubernetes: body.kubernetes }) : cluster
    }
    const made = newRow(body, isoNow())
    const row = { ...made, credentialsRef: body.kubernetes ? sealAccess(made.id, body.kubernetes) : null }
    const totals = await reach(row)?.probe()
    await db.write(async (tx) => {
      if (await store.findByName(body.name, tx)) throw taken(body.name)
      await store.insert(tx, row)
      if (totals) await store.setTotals(tx, row.id, totals, isoNow())
      await audit.record(tx, caller, 'cluster.register', { ...targetOf(row), detail: { driver: row.driver, region: row.region } })
    })
    return { ...clusterOf(await must(row.id), clock.now()), ...hinted(totals ? 'ready' : 'registering', totals?.warnings) }
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
    return { ...clusterOf(row, clock.now()), ...hinted(row.state, totals?.warnings) }
  }

  async function refuseLeavingBehind(row: ClusterRow, credentialsRef: string, tx: Tx): Promise<void> {
    const why = driverOf(row.driver)?.unreachableBy?.(row, { ...row, credentialsRef }) ?? []
    const gateways = why.length > 0 ? await store.gatewaysOf(row.id, tx) : []
    if (gateways.length === 0) return
    const what = gateways.length === 1 ? 'a gateway is' : `${gateways.length} gateways are`
    throw new McpgError('failed_precondition', 'cluster_in_use', `On the cluster ${row.name} ${what}: ${why.join('; ')}.`, {
      hint: `mcpg-ctl cluster drain ${row.name} moves them away, or register it a second time under another --name`,
    })
  }
}

function same(known: ClusterRow, body: RegisterCluster, now: number): RegisteredCluster {
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
  return { ...clusterOf(known, now), ...hinted(known.state) }
}

/** Until a probe has found it usable. */
export function newRow(body: RegisterCluster, now: string): NewCluster {
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
