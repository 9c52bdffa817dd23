import type { GatewayChainVerification } from '@mcpg/proto/rest/audit'
import type { Db, GatewayAuditRun } from '../db/db.ts'
import type { AuditKey } from '../keys/audit-key.ts'
import { turn } from '../turns.ts'
import { gatewayLink, runText, storedRun } from './gateway-chain.ts'

const portion = 500

type Problem = NonNullable<GatewayChainVerification['problem']>

/**
 * Walks what the gateways of an organization have sent. A hole is honest where the gateway says that it has dropped as many; every other
 * missing number was there once.
 */
export function gatewayVerifier({ db, key }: { db: Pick<Db, 'read'>; key: AuditKey }) {
  return { verifyGateways }

  async function verifyGateways(org: string): Promise<GatewayChainVerification[]> {
    if (org === '') return []
    const rows = await db.read.gatewayAuditRun.findMany({ where: { org }, orderBy: [{ gatewayId: 'asc' }, { began: 'asc' }] })
    const answers: GatewayChainVerification[] = []
    for (const runs of Map.groupBy(rows.map(storedRun), ({ gatewayId }) => gatewayId).values()) answers.push(await verifyRuns(runs))
    return answers
  }

  async function verifyRuns(runs: GatewayAuditRun[]): Promise<GatewayChainVerification> {
    const last = runs.at(-1)!
    let expected = 1
    let missing = 0
    let rows = 0
    let problem: Problem | null = null
    let hole: number | null = null
    for (const run of runs) {
      if (run.began > expected) {
        missing += run.began - expected
        hole ??= expected
      }
      const walked = await walk(run)
      rows += walked.rows
      expected = run.through + 1
      if ((problem = walked.problem)) break
    }
    if (!problem && hole !== null && missing > last.dropped)
      problem = {
        reason: 'row_missing',
        seq: hole,
        detail: `${missing} rows are missing, the first is row ${hole}; the gateway dropped ${last.dropped}`,
      }
    return {
      gateway: last.gateway,
      gatewayId: last.gatewayId,
      ok: problem === null,
      rows,
      verifiedThrough: problem ? problem.seq - 1 : last.through,
      dropped: last.dropped,
      removed: runs.reduce((sum, { removed }) => sum + removed, 0),
      breaks: runs.filter(({ because }) => because === 'break').length,
      problem,
    }
  }

  async function walk(run: GatewayAuditRun): Promise<{ rows: number; problem: Problem | null }> {
    if (!key.verify(runText(run), run))
      return {
        rows: 0,
        problem: {
          reason: 'seal_forged',
          seq: run.first,
          detail: `what says how far the rows from ${run.first} on go is not signed by us`,
        },
      }
    let [seq, hash] = [run.first - 1, run.before]
    while (seq < run.through) {
      const rows = await db.read.gatewayAudit.findMany({
        where: { gatewayId: run.gatewayId, seq: { gt: seq, lte: run.through } },
        orderBy: { seq: 'asc' },
        take: portion,
        select: { id: true, seq: true, bytes: true, hash: true },
      })
      for (const row of rows) {
        const expected = seq + 1
        if (Number(row.seq) !== expected) return missingAt(run, expected)
        const link = gatewayLink(hash, row.bytes)
        if (link !== row.hash)
          return {
            rows: seq - run.first + 1,
            problem: { reason: 'row_altered', seq: expected, id: row.id, detail: `row ${expected} is not what the gateway sent` },
          }
        ;[seq, hash] = [expected, link]
      }
      if (rows.length === 0) return missingAt(run, seq + 1)
      await turn()
    }
    if (hash !== run.hash)
      return {
        rows: seq - run.first + 1,
        problem: { reason: 'row_altered', seq, detail: `rows up to ${seq} were altered and linked anew` },
      }
    return { rows: run.through - run.first + 1, problem: null }
  }
}

const missingAt = (run: GatewayAuditRun, seq: number) => ({
  rows: seq - run.first,
  problem: { reason: 'row_missing' as const, seq, detail: `row ${seq} is missing; the gateway sent ${run.through}` },
})
