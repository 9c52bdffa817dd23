import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '@mcpg/core/clock'
import { covers } from '@mcpg/proto/grants'
import { McpgError } from '@mcpg/proto/errors'
import { quotaAmounts, type PutQuotas, type Quota, type QuotaLimits, type Quotas } from '@mcpg/proto/rest/quotas'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db, Tx } from '../db/db.ts'
import type { QuotaScope, QuotaStore } from './store.ts'

export type QuotaService = ReturnType<typeof quotaService>

const ofOrg = (org: string): QuotaScope => ({ org, workspace: '', environment: '' })
const nothing = (): Quota['used'] => ({ gateways: 0, cpuMillicores: 0, memoryBytes: 0 })

/**
 * How much managed gateways may take: shown and set here, held to where an operation begins. What an organization may take is said by
 * whoever runs the clusters; how it divides that among its environments is its own affair.
 */
export function quotaService({
  db,
  store,
  audit,
  clock,
  requireOrg,
  requireEnvironment,
}: {
  db: Pick<Db, 'write'>
  store: QuotaStore
  audit: Pick<Audit, 'record'>
  clock: Clock
  requireOrg: (scope: { org: string }) => Promise<void>
  requireEnvironment: (scope: QuotaScope, from?: Tx) => Promise<void>
}) {
  return { get, put }

  async function get(caller: Caller, org: string): Promise<Quotas> {
    refuseStranger(caller, org)
    await requireOrg({ org })
    return await all(caller, org)
  }

  /** The environments are those in which the caller may provision or set quotas; what the organization takes is of all. */
  async function all(caller: Caller, org: string): Promise<Quotas> {
    const [limits, used] = await Promise.all([store.limitsOf(org), store.usedIn(org)])
    const total = nothing()
    for (const one of used) for (const amount of quotaAmounts) total[amount] += one.used[amount]
    const paths = new Map([...limits, ...used].filter(({ workspace }) => workspace !== '').map((one) => [pathOf(one), one]))
    const seen = [...paths.values()].filter((one) =>
      (['provision', 'quotas'] as const).some((operation) => caller.can({ operation }, placeOf(one))),
    )
    return {
      org: { limits: limits.find(({ workspace }) => workspace === '')?.limits ?? {}, used: total },
      environments: seen
        .map((one) => ({
          workspace: one.workspace,
          environment: one.environment,
          limits: limits.find((other) => pathOf(other) === pathOf(one))?.limits ?? {},
          used: used.find((other) => pathOf(other) === pathOf(one))?.used ?? nothing(),
        }))
        .toSorted((a, b) => (pathOf({ org, ...a }) < pathOf({ org, ...b }) ? -1 : 1)),
    }
  }

  /** Everything or nothing. What runs already goes on, also above a new limit. */
  async function put(caller: Caller, org: string, { org: ofAll, environments = [] }: PutQuotas): Promise<Quotas> {
    await requireOrg({ org })
    const wanted = [
      ...(ofAll === undefined ? [] : [{ scope: ofOrg(org), limits: ofAll }]),
      ...environments.map(({ limits, ...environment }) => ({ scope: { org, ...environment }, limits })),
    ]
    refuseRepeated(environments)
    await db.write(async (tx) => {
      for (const { scope, limits } of wanted) await set(tx, caller, scope, limits)
    })
    return await all(caller, org)
  }

  async function set(tx: Tx, caller: Caller, scope: QuotaScope, limits: QuotaLimits): Promise<void> {
    const before = await store.limits(tx, scope)
    const isOrg = scope.workspace === ''
    if (!isOrg) await requireEnvironment(scope, tx)
    // What is read and sent back as it was asks for no right.
    if (isOrg && !isDeepStrictEqual(before, limits)) refuseOrgAdmin(caller, scope.org)
    await store.put(tx, scope, limits, new Date(clock.now()).toISOString())
    await audit.record(tx, caller, 'quota.set', {
      org: scope.org,
      ...(!isOrg && { workspace: scope.workspace }),
      kind: 'Quota',
      name: isOrg ? scope.org : scope.environment,
      detail: { before, after: limits },
    })
  }
}

function refuseOrgAdmin(caller: Caller, org: string): void {
  if (caller.can({ operation: 'cluster-admin' }, {})) return
  throw new McpgError(
    'forbidden',
    'quota_of_platform',
    `What the organization ${org} may take is set by whoever runs the clusters: ${caller.subject} would need the operation cluster-admin.`,
    { hint: 'limits of its environments are yours to set: mcpg-ctl quota set --workspace <workspace> --env <environment>' },
  )
}

function refuseStranger(caller: Caller, org: string): void {
  const wanted = ['provision', 'quotas', '*']
  const reaches = caller.grants.some(
    (grant) =>
      'operations' in grant &&
      grant.operations.some((one) => wanted.includes(one)) &&
      (covers(grant.place, { org }) || covers({ org }, grant.place)),
  )
  if (reaches) return
  throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not do this: it needs the operation provision or quotas.`, {
    hint: 'mcpg-ctl can-i --list',
  })
}

function refuseRepeated(environments: { workspace: string; environment: string }[]): void {
  const paths = environments.map(({ workspace, environment }) => `${workspace}/${environment}`)
  const violations = paths.flatMap((path, index) =>
    paths.indexOf(path) === index ? [] : [{ pointer: `/environments/${index}`, detail: `${path} is listed before` }],
  )
  if (violations.length > 0)
    throw new McpgError('invalid', 'environment_repeated', 'An environment is listed more than once.', { violations })
}

const pathOf = ({ workspace, environment }: QuotaScope): string => `${workspace}/${environment}`
const placeOf = ({ org, workspace, environment }: QuotaScope) => ({ org, workspace, environment })
