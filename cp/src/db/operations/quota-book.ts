import { quotaAmounts, type ExceededQuota, type QuotaAmount } from '@mcpg/proto/rest/quotas'
import type { OperationStart } from '../bulk.ts'
import type { BulkConnection } from '../bulk-connection.ts'

/** What is reserved for the gateways of each quota, beside its limits. */
const findQuotas = `SELECT q."org", q."workspace", q."environment", q."gatewaysMax", q."cpuMillicoresMax", q."memoryBytesMax",
    COALESCE(SUM(r."gateways"), 0) AS "gateways", COALESCE(SUM(r."cpuMillicores"), 0) AS "cpuMillicores",
    COALESCE(SUM(r."memoryBytes"), 0) AS "memoryBytes"
  FROM "quotas" q
  LEFT JOIN "managed_gateways" m ON m."org" = q."org"
    AND (q."workspace" = '' OR (m."workspace" = q."workspace" AND m."environment" = q."environment"))
  LEFT JOIN "reservations" r ON r."gatewayUid" = m."instanceUid" AND r."state" <> 'released'
  WHERE (q."org", q."workspace", q."environment") IN (VALUES {rows})
  GROUP BY q."org", q."workspace", q."environment", q."gatewaysMax", q."cpuMillicoresMax", q."memoryBytesMax"`

type Big = number | string | bigint | null
type Row = Place & Record<`${QuotaAmount}Max` | QuotaAmount, Big>
type Place = { org: string; workspace: string; environment: string }

/** The quotas that hold for some starts, with what those of them that are done take. */
export async function quotaBook(connection: BulkConnection, starts: readonly OperationStart[]) {
  const places = new Map(
    starts.flatMap(({ operation, reservation }) => (reservation ? placesOf(operation) : [])).map((place) => [keyOf(place), place]),
  )
  const rows = await connection.all<Row>(
    findQuotas,
    [...places.values()].map(({ org, workspace, environment }) => [org, workspace, environment]),
  )
  const quotas = new Map(
    rows.map((row) => [keyOf(row), { row, used: new Map(quotaAmounts.map((amount) => [amount, Number(row[amount])])) }]),
  )
  // A gateway that moves takes no more than it took.
  const quotasOf = ({ operation }: OperationStart) =>
    operation.kind === 'move' ? [] : placesOf(operation).flatMap((place) => quotas.get(keyOf(place)) ?? [])
  return { exceededBy, take }

  /** Every limit that its reservation would pass. What is not asked for passes none, so whoever is above a limit may still take less. */
  function exceededBy(start: OperationStart): ExceededQuota[] {
    return quotasOf(start).flatMap(({ row, used: now }) =>
      quotaAmounts.flatMap((amount) => {
        const [of, used, asked] = [row[`${amount}Max`], now.get(amount)!, start.reservation?.[amount] ?? 0]
        if (of === null || asked <= 0 || used + asked <= Number(of)) return []
        return [{ quota: row.workspace === '' ? 'org' : `${row.workspace}/${row.environment}`, amount, used, of: Number(of), asked }]
      }),
    )
  }

  function take(start: OperationStart): void {
    for (const { used } of quotasOf(start))
      for (const amount of quotaAmounts) used.set(amount, used.get(amount)! + (start.reservation?.[amount] ?? 0))
  }
}

/** The organization first, as its limit is the one that an environment cannot help. */
function placesOf({ org, workspace, environment }: Place): Place[] {
  return [
    { org, workspace: '', environment: '' },
    { org, workspace, environment },
  ]
}

const keyOf = ({ org, workspace, environment }: Place): string => `${org}/${workspace}/${environment}`
