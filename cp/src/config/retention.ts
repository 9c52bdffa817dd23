import type { Clock } from '@mcpg/core/clock'
import type { Db } from '../db/db.ts'
import type { Chore } from '../keeper.ts'
import { turn } from '../turns.ts'
import { subHashesOf } from './documents.ts'

/** Candidates looked at in one go. */
const portion = 500

/** What belonged to deleted servers, and revisions of servers that nothing names any more. */
export function configChores({ db, clock }: { db: Pick<Db, 'read' | 'write'>; clock: Clock }): Chore[] {
  return [
    { name: 'deleted servers', run: removeOrphans },
    { name: 'server revisions', run: removeRevisions },
  ]

  /** The delete of a server takes these along; this finds what a gateway or a restart wrote at the same moment. */
  async function removeOrphans(): Promise<void> {
    await db.write(async (tx) => {
      await tx.$executeRaw`DELETE FROM "server_controls" WHERE "serverUid" NOT IN (SELECT "uid" FROM "resources" WHERE "kind" = 'Server')`
      await tx.$executeRaw`DELETE FROM "server_holds" WHERE "serverUid" NOT IN (SELECT "uid" FROM "resources" WHERE "kind" = 'Server')`
    })
  }

  /** A revision stays while a kept document contains it, a gateway has proven it, or a hold is about it. */
  async function removeRevisions(stopping: AbortSignal): Promise<void> {
    const since = new Date(clock.now()).toISOString()
    let candidates = await unclaimed('')
    if (candidates.length === 0) return
    const contained = await containedInDocuments(stopping)
    while (candidates.length > 0 && !stopping.aborted) {
      const unused = candidates.filter(({ subHash }) => !contained.has(subHash))
      const isSettled = await db.write(async (tx) => {
        // A document made while the others were read may go back to an old revision; then the next hour decides.
        if ((await tx.config.count({ where: { createdAt: { gte: since } } })) > 0) return false
        // One statement: row by row it would hold everybody else up.
        await tx.serverRevision.deleteMany({ where: { subHash: { in: unused.map(({ subHash }) => subHash) } } })
        return true
      })
      if (!isSettled) return
      candidates = await unclaimed(candidates.at(-1)!.subHash)
    }
  }

  async function unclaimed(after: string): Promise<{ serverUid: string; subHash: string }[]> {
    return await db.read.$queryRaw`
      SELECT "serverUid", "subHash" FROM "server_revisions"
       WHERE "subHash" > ${after}
         AND "subHash" NOT IN (SELECT "provenSubHash" FROM "gateway_servers" WHERE "provenSubHash" IS NOT NULL)
         AND "subHash" NOT IN (SELECT "subHash" FROM "server_holds")
       ORDER BY "subHash" LIMIT ${portion}`
  }

  async function containedInDocuments(stopping: AbortSignal): Promise<Set<string>> {
    const found = new Set<string>()
    for (let after = ''; !stopping.aborted;) {
      const [row] = await db.read.config.findMany({ where: { hash: { gt: after } }, orderBy: { hash: 'asc' }, take: 1 })
      if (!row) break
      for (const subHash of subHashesOf(row.bytes)) found.add(subHash)
      after = row.hash
      await turn()
    }
    return found
  }
}
