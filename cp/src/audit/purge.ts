import type { Clock } from '@mcpg/core/clock'
import type { AuditPurge } from '@mcpg/proto/rest/audit'
import type { Db } from '../db/db.ts'
import type { AuditKey } from '../keys/audit-key.ts'
import { markText, orgColumn } from './chain.ts'

/** Rows of one transaction, so that nothing else waits long. */
const portion = 500

/** A tombstone as people read it. */
export function purgeOf({ seq, at, detail }: { seq: number; at: string; detail: string }): AuditPurge {
  const { before, by, removed } = JSON.parse(detail) as { before: string; by: string; removed: number }
  return { through: seq, at, before, by, removed }
}

/**
 * Removes the oldest rows of an organization. What is left stays verifiable: a signed tombstone has the place and the hash of the last
 * removed row, so the next one still links to it, and says who removed how many.
 */
export function auditPurge({ db, key, clock }: { db: Pick<Db, 'read' | 'write'>; key: AuditKey; clock: Clock }) {
  return { remove }

  /** Only linked rows, and only those before the first that is young enough: answers how many. */
  async function remove(org: string, before: string, by: string, stopping?: AbortSignal): Promise<number> {
    const column = orgColumn(org)
    const young = await db.read.audit.findFirst({
      where: { org: column, seq: { not: null }, at: { gte: before } },
      orderBy: { seq: 'asc' },
      select: { seq: true },
    })
    let removed = 0
    while (!stopping?.aborted) {
      const rows = await db.read.audit.findMany({
        where: { org: column, seq: young?.seq ? { not: null, lt: young.seq } : { not: null } },
        orderBy: { seq: 'asc' },
        select: { seq: true, hash: true },
        take: portion,
      })
      const last = rows.at(-1)
      if (!last?.seq || last.hash === null) return removed
      await removeThrough(org, { seq: last.seq, hash: last.hash, count: rows.length, before, by })
      removed += rows.length
    }
    return removed
  }

  async function removeThrough(
    org: string,
    { seq, hash, count, before, by }: { seq: number; hash: string; count: number; before: string; by: string },
  ): Promise<void> {
    await db.write(async (tx) => {
      const last = await tx.auditSeal.findFirst({ where: { org, kind: 'purge' }, orderBy: { seq: 'desc' } })
      const removed = count + (last ? purgeOf(last).removed : 0)
      const mark = {
        org,
        kind: 'purge',
        seq,
        hash,
        at: new Date(clock.now()).toISOString(),
        detail: JSON.stringify({ before, by, removed }),
      }
      await tx.audit.deleteMany({ where: { org: orgColumn(org), seq: { lte: seq } } })
      await tx.auditSeal.deleteMany({ where: { org, seq: { lte: seq } } })
      await tx.auditSeal.create({ data: { ...mark, ...key.sign(markText(mark)) } })
    })
  }
}
