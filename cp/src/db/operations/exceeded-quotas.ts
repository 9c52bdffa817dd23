import { quotaAmounts, type ExceededQuota, type QuotaAmount } from '@mcpg/proto/rest/quotas'
import type { OperationStart } from '../bulk.ts'
import type { BulkConnection } from '../bulk-connection.ts'

/** What is reserved for the gateways of each quota that holds at a place, beside its limits. */
const findQuotas = `WITH v("org", "workspace", "environment") AS (VALUES {rows})
  SELECT q."workspace", q."environment", q."gatewaysMax", q."cpuMillicoresMax", q."memoryBytesMax",
    COALESCE(SUM(r."gateways"), 0) AS "gateways", COALESCE(SUM(r."cpuMillicores"), 0) AS "cpuMillicores",
    COALESCE(SUM(r."memoryBytes"), 0) AS "memoryBytes"
  FROM v
  JOIN "quotas" q ON q."org" = v."org"
    AND (q."workspace" = '' OR (q."workspace" = v."workspace" AND q."environment" = v."environment"))
  LEFT JOIN "managed_gateways" m ON m."org" = q."org"
    AND (q."workspace" = '' OR (m."workspace" = q."workspace" AND m."environment" = q."environment"))
  LEFT JOIN "reservations" r ON r."gatewayUid" = m."instanceUid" AND r."state" <> 'released'
  GROUP BY q."workspace", q."environment", q."gatewaysMax", q."cpuMillicoresMax", q."memoryBytesMax"`

type Big = number | string | bigint | null
type Row = { workspace: string; environment: string } & Record<`${QuotaAmount}Max` | QuotaAmount, Big>

/** Every limit that a reservation would pass. What is not asked for passes none, so whoever is above a limit may still take less. */
export async function exceededQuotas(
  connection: BulkConnection,
  { org, workspace, environment }: OperationStart['operation'],
  reservation: NonNullable<OperationStart['reservation']>,
): Promise<ExceededQuota[]> {
  const rows = await connection.all<Row>(findQuotas, [[org, workspace, environment]])
  // The organization first, as its limit is the one that an environment cannot help.
  return rows
    .toSorted((a, b) => a.workspace.length - b.workspace.length)
    .flatMap((row) =>
      quotaAmounts.flatMap((amount) => {
        const [of, used, asked] = [row[`${amount}Max`], Number(row[amount]), reservation[amount]]
        if (of === null || asked <= 0 || used + asked <= Number(of)) return []
        return [{ quota: row.workspace === '' ? 'org' : `${row.workspace}/${row.environment}`, amount, used, of: Number(of), asked }]
      }),
    )
}
