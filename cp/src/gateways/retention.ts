import type { Clock } from '@mcpg/core/clock'
import type { Db } from '../db/db.ts'
import { removeInPortions } from '../db/portions.ts'
import type { Chore } from '../keeper.ts'
import type { Inventories } from './inventories.ts'

/** As long as the audit trail tells of the deletion: an agent that comes back later has an unknown credential. */
const tombstonesKeptMs = 400 * 86_400_000
/** A body nobody refers to may be one whose server is about to be reported, or comes back with the next start of a gateway. */
const inventoriesKeptMs = 24 * 3_600_000

/** What is left of deleted gateways, and inventories that no gateway shows any more. */
export function gatewayChores({
  db,
  inventories,
  clock,
}: {
  db: Pick<Db, 'write'>
  inventories: Pick<Inventories, 'forget'>
  clock: Clock
}): Chore[] {
  return [
    { name: 'gateway tombstones', run: removeTombstones },
    { name: 'inventories', run: removeInventories },
  ]

  async function removeTombstones(stopping: AbortSignal): Promise<void> {
    const where = { deletedAt: { lt: ago(tombstonesKeptMs) } }
    await removeInPortions(db, stopping, (tx, limit) => tx.gatewayTombstone.deleteMany({ where, limit }))
  }

  async function removeInventories(stopping: AbortSignal): Promise<void> {
    await removeInPortions(db, stopping, async (tx, limit) => {
      const removed = await tx.$queryRaw<{ hash: string }[]>`
        DELETE FROM "inventories" WHERE "hash" IN (
          SELECT "hash" FROM "inventories"
           WHERE "createdAt" < ${ago(inventoriesKeptMs)}
             AND "hash" NOT IN (SELECT "inventoryHash" FROM "gateway_servers" WHERE "inventoryHash" IS NOT NULL)
           LIMIT ${limit}) RETURNING "hash"`
      // Otherwise the next report of the same body would be taken for one that is stored.
      inventories.forget(removed.map((row) => row.hash))
      return { count: removed.length }
    })
  }

  function ago(ms: number): string {
    return new Date(clock.now() - ms).toISOString()
  }
}
