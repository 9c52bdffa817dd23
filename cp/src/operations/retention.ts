import type { Clock } from '@mcpg/core/clock'
import type { Db } from '../db/db.ts'
import { removeInPortions } from '../db/portions.ts'
import type { Chore } from '../keeper.ts'

const keptMs = 90 * 86_400_000

/** Operations that ended long ago, with their events and the reservations that were given back. */
export function operationChore({ db, clock }: { db: Pick<Db, 'write'>; clock: Clock }): Chore {
  return {
    name: 'old operations',
    run: (stopping) =>
      removeInPortions(db, stopping, async (tx, limit) => {
        const before = new Date(clock.now() - keptMs).toISOString()
        const rows = await tx.operation.findMany({ where: { finishedAt: { lt: before } }, select: { id: true }, take: limit })
        const ids = rows.map(({ id }) => id)
        await tx.operationEvent.deleteMany({ where: { operationId: { in: ids } } })
        await tx.reservation.deleteMany({ where: { operationId: { in: ids }, state: 'released' } })
        return await tx.operation.deleteMany({ where: { id: { in: ids } } })
      }),
  }
}
