import type { AuditVerification } from '@mcpg/proto/rest/audit'
import type { Db } from '../db/db.ts'
import type { AuditKey } from '../keys/audit-key.ts'
import { turn } from '../turns.ts'
import { linkOf, markText, orgColumn, origin } from './chain.ts'
import { gatewayVerifier } from './gateway-verify.ts'
import { purgeOf } from './purge.ts'

const portion = 500

type Problem = NonNullable<AuditVerification['problem']>

/** Walks the chain of one organization from its tombstone, and stops at the first row that is not what was signed. */
export function auditVerifier({ db, key }: { db: Pick<Db, 'read'>; key: AuditKey }) {
  const { verifyGateways } = gatewayVerifier({ db, key })
  return { verify }

  async function verify(org: string): Promise<AuditVerification> {
    const tombstone = await db.read.auditSeal.findFirst({ where: { org, kind: 'purge' }, orderBy: { seq: 'desc' } })
    const start = { seq: tombstone?.seq ?? 0, hash: tombstone?.hash ?? origin }
    const walked: { seq: number; problem: Problem | null } =
      tombstone && !key.verify(markText(tombstone), tombstone)
        ? {
            seq: start.seq,
            problem: {
              reason: 'seal_forged',
              seq: start.seq,
              detail: `the record of what was removed up to row ${start.seq} is not signed by us`,
            },
          }
        : await walk(org, start)
    const where = { org: orgColumn(org), seq: null }
    const [count, oldest] = [
      await db.read.audit.count({ where }),
      await db.read.audit.findFirst({ where, orderBy: { at: 'asc' }, select: { at: true } }),
    ]
    const gateways = await verifyGateways(org)
    return {
      ok: walked.problem === null && gateways.every(({ ok }) => ok),
      verifiedThrough: walked.seq,
      rows: walked.seq - start.seq,
      problem: walked.problem,
      unsealed: { count, oldestAt: oldest?.at ?? null },
      purged: tombstone && purgeOf(tombstone),
      gateways,
    }
  }

  async function walk(org: string, start: { seq: number; hash: string }): Promise<{ seq: number; problem: Problem | null }> {
    let { seq, hash } = start
    let sealedThrough = seq
    for (;;) {
      const rows = await db.read.audit.findMany({
        where: { org: orgColumn(org), seq: { gt: seq } },
        orderBy: { seq: 'asc' },
        take: portion,
      })
      const last = rows.at(-1)?.seq ?? seq
      const seals = await db.read.auditSeal.findMany({ where: { org, kind: 'seal', seq: { gt: seq, lte: last } } })
      const sealAt = new Map(seals.map((one) => [one.seq, one]))
      for (const row of rows) {
        const expected = seq + 1
        if (row.seq !== expected)
          return broken(seq, { reason: 'row_missing', seq: expected, detail: `row ${expected} is missing; the next one is ${row.seq}` })
        const link = linkOf(hash, expected, row)
        if (link !== row.hash)
          return broken(seq, { reason: 'row_altered', seq: expected, id: row.id, detail: `row ${expected} is not what was written` })
        const seal = sealAt.get(expected)
        if (seal && (seal.hash !== link || !key.verify(markText(seal), seal)))
          return broken(sealedThrough, {
            reason: 'seal_forged',
            seq: expected,
            id: row.id,
            detail: `a row between ${sealedThrough + 1} and ${expected} was altered and linked anew, or the signature there is not ours`,
          })
        if (seal) sealedThrough = expected
        ;[seq, hash] = [expected, link]
      }
      if (rows.length < portion) break
      await turn()
    }
    const beyond = await db.read.auditSeal.findFirst({ where: { org, kind: 'seal', seq: { gt: seq } }, orderBy: { seq: 'desc' } })
    // Rows that were sealed while this walked are there by now.
    if (beyond && (await db.read.audit.count({ where: { org: orgColumn(org), seq: seq + 1 } })) === 0)
      return broken(seq, { reason: 'row_missing', seq: seq + 1, detail: `row ${seq + 1} is missing; signed were ${beyond.seq}` })
    if (sealedThrough < seq)
      return broken(sealedThrough, {
        reason: 'signature_missing',
        seq: seq,
        detail: `nothing signs the rows from ${sealedThrough + 1} to ${seq}`,
      })
    return { seq, problem: null }
  }
}

const broken = (seq: number, problem: Problem) => ({ seq, problem })
