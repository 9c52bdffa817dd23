import type { Clock } from '@mcpg/core/clock'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Db } from '../db/db.ts'
import { removeInPortions } from '../db/portions.ts'
import type { Chore } from '../keeper.ts'
import { turn } from '../turns.ts'

export type StoredChange = { seq: number; type: 'ADDED' | 'MODIFIED' | 'DELETED'; kind: string; name: string; object: Resource }

const keptMs = 24 * 3_600_000
const keptPerScope = 100_000
/** Rows read in one go. */
const portion = 100

export type History = ReturnType<typeof changeHistory>

/** The changes of stored kinds in the database: what a watch can resume from after a restart. Kept 24 h or 100,000 per scope. */
export function changeHistory({ db, clock }: { db: Db; clock: Clock }) {
  return { latest, since, chore: { name: 'change history', run: prune } satisfies Chore }

  /** Number of the newest change of a scope, 0 for none. */
  async function latest(scope: string): Promise<number> {
    return (await db.read.scope.findUnique({ where: { scope } }))?.changeSeq ?? 0
  }

  /** What followed `version`, oldest first; null when a part of it is gone. */
  async function since(scope: string, version: number): Promise<StoredChange[] | null> {
    const newest = await latest(scope)
    if (version > newest) return null
    const found: StoredChange[] = []
    for (let after = version; ; await turn()) {
      const rows = await db.read.change.findMany({ where: { scope, seq: { gt: after } }, orderBy: { seq: 'asc' }, take: portion })
      // Numbers have no gap but the one that the chore leaves behind itself.
      if (rows[0] && rows[0].seq !== after + 1) return null
      found.push(...rows.map(changeOf))
      after = rows.at(-1)?.seq ?? after
      if (rows.length < portion) return after < newest ? null : found
    }
  }

  async function prune(stopping: AbortSignal): Promise<void> {
    const before = new Date(clock.now() - keptMs).toISOString()
    for (const { scope, changeSeq } of await db.read.scope.findMany()) {
      const where = { scope, OR: [{ at: { lt: before } }, { seq: { lte: changeSeq - keptPerScope } }] }
      await removeInPortions(db, stopping, async (tx, limit) => {
        // From the oldest on: what is left must have no gap.
        const oldest = await tx.change.findMany({ where, orderBy: { seq: 'asc' }, take: limit, select: { seq: true } })
        return await tx.change.deleteMany({ where: { scope, seq: { lte: oldest.at(-1)?.seq ?? 0 } } })
      })
    }
  }
}

function changeOf({
  seq,
  type,
  kind,
  name,
  object,
}: {
  seq: number
  type: string
  kind: string
  name: string
  object: string
}): StoredChange {
  const { metadata, ...rest } = JSON.parse(object) as Resource
  return {
    seq,
    type: type as StoredChange['type'],
    kind,
    name,
    object: { ...rest, metadata: { ...metadata, resourceVersion: String(seq) }, status: {} },
  }
}
