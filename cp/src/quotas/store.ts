import { quotaAmounts, type Quota, type QuotaAmount, type QuotaLimits } from '@mcpg/proto/rest/quotas'
import type { Db, Tx } from '../db/db.ts'

/** What a quota is of; without `workspace` and `environment`, which go together, it is the organization. */
export type QuotaScope = { org: string; workspace: string; environment: string }

export type QuotaStore = ReturnType<typeof quotaStore>

export function quotaStore({ read }: Pick<Db, 'read'>) {
  return { limitsOf, usedIn, limits, put }

  async function limitsOf(org: string): Promise<(QuotaScope & { limits: QuotaLimits })[]> {
    const rows = await read.quota.findMany({ where: { org }, orderBy: [{ workspace: 'asc' }, { environment: 'asc' }] })
    return rows.map((row) => ({ org, workspace: row.workspace, environment: row.environment, limits: limitsIn(row) }))
  }

  /** What is reserved in each environment of the organization for the gateways that it has. */
  async function usedIn(org: string): Promise<(QuotaScope & { used: Quota['used'] })[]> {
    const [gateways, sums] = await Promise.all([
      read.managedGateway.findMany({ where: { org }, select: { instanceUid: true, workspace: true, environment: true } }),
      read.reservation.groupBy({
        by: ['gatewayUid'],
        where: { state: { not: 'released' } },
        _sum: { gateways: true, cpuMillicores: true, memoryBytes: true },
      }),
    ])
    const byUid = new Map(sums.map(({ gatewayUid, _sum }) => [gatewayUid, _sum]))
    const found = new Map<string, QuotaScope & { used: Quota['used'] }>()
    for (const { instanceUid, workspace, environment } of gateways) {
      const key = `${workspace}/${environment}`
      const one = found.get(key) ?? { org, workspace, environment, used: { gateways: 0, cpuMillicores: 0, memoryBytes: 0 } }
      for (const amount of quotaAmounts) one.used[amount] += Number(byUid.get(instanceUid)?.[amount] ?? 0)
      found.set(key, one)
    }
    return [...found.values()]
  }

  async function limits(tx: Tx, scope: QuotaScope): Promise<QuotaLimits> {
    const row = await tx.quota.findUnique({ where: { org_workspace_environment: scope } })
    return row ? limitsIn(row) : {}
  }

  async function put(tx: Tx, scope: QuotaScope, { gateways, cpuMillicores, memoryBytes }: QuotaLimits, now: string): Promise<void> {
    const data = { gatewaysMax: gateways ?? null, cpuMillicoresMax: bigOrNull(cpuMillicores), memoryBytesMax: bigOrNull(memoryBytes) }
    const where = { org_workspace_environment: scope }
    if (Object.values(data).every((value) => value === null)) await tx.quota.deleteMany({ where: scope })
    else await tx.quota.upsert({ where, create: { ...scope, ...data, updatedAt: now }, update: { ...data, updatedAt: now } })
  }
}

type Row = Record<`${QuotaAmount}Max`, number | bigint | null>

const limitsIn = (row: Row): QuotaLimits =>
  Object.fromEntries(
    quotaAmounts.flatMap((amount) => {
      const value = row[`${amount}Max`]
      return value === null ? [] : [[amount, Number(value)]]
    }),
  )

const bigOrNull = (value: number | undefined): bigint | null => (value === undefined ? null : BigInt(value))
