import type { Db, Tx } from './db.ts'

/** Rows of one short transaction, so that nothing else waits long. */
const portion = 500

/** Removes rows until none is left or `stopping` aborts; `remove` takes at most `limit` and says how many it took. */
export async function removeInPortions(
  db: Pick<Db, 'write'>,
  stopping: AbortSignal,
  remove: (tx: Tx, limit: number) => Promise<{ count: number }>,
): Promise<void> {
  while (!stopping.aborted) if ((await db.write((tx) => remove(tx, portion))).count < portion) return
}
