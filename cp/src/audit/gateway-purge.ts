import type { Clock } from '@mcpg/core/clock'
import type { Db } from '../db/db.ts'
import type { AuditKey } from '../keys/audit-key.ts'
import { runText, storedRun } from './gateway-chain.ts'
import type { GatewayRuns } from './gateway-runs.ts'

/** Rows of one transaction, so that nothing else waits long. */
const portion = 500

/** Removes what gateways saw long ago, from the beginning of each run; the run, signed anew, says where it begins now and how many went. */
export function gatewayPurge({ db, key, runs, clock }: { db: Pick<Db, 'read' | 'write'>; key: AuditKey; runs: GatewayRuns; clock: Clock }) {
  return { removeSeen }

  /** Answers how many. */
  async function removeSeen(org: string, before: string, stopping?: AbortSignal): Promise<number> {
    const stored = await db.read.gatewayAuditRun.findMany({ where: { org }, select: { gatewayId: true, began: true } })
    let removed = 0
    for (const { gatewayId, began } of stored)
      for (let count = portion; count === portion && !stopping?.aborted; removed += count)
        count = await runs.inTurn(gatewayId, async () => {
          runs.forget(gatewayId)
          return await removePortion({ gatewayId, began }, before)
        })
    return removed
  }

  async function removePortion(where: { gatewayId: string; began: bigint }, before: string): Promise<number> {
    return await db.write(async (tx) => {
      const stored = await tx.gatewayAuditRun.findUnique({ where: { gatewayId_began: where } })
      if (!stored) return 0
      const run = storedRun(stored)
      const rows = await tx.gatewayAudit.findMany({
        where: { gatewayId: run.gatewayId, seq: { gte: run.first, lte: run.through } },
        orderBy: { seq: 'asc' },
        take: portion,
        select: { seq: true, at: true, hash: true },
      })
      const young = rows.findIndex(({ at }) => at >= before)
      const old = young < 0 ? rows : rows.slice(0, young)
      const last = old.at(-1)
      if (!last) return 0
      const { signature: _, keyId: __, ...unsigned } = run
      const cut = {
        ...unsigned,
        first: Number(last.seq) + 1,
        before: last.hash,
        removed: run.removed + old.length,
        at: new Date(clock.now()).toISOString(),
      }
      await tx.gatewayAudit.deleteMany({ where: { gatewayId: run.gatewayId, seq: { gte: run.first, lte: last.seq } } })
      await tx.gatewayAuditRun.update({ where: { gatewayId_began: where }, data: { ...cut, ...key.sign(runText(cut)) } })
      return old.length
    })
  }
}
