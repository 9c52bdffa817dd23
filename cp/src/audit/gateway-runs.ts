import type { Db } from '../db/db.ts'
import { gatewayOrigin, storedRun, type UnsignedRun } from './gateway-chain.ts'

export type GatewayRuns = ReturnType<typeof gatewayRuns>

/** The run that each gateway is at, in memory, and one piece of work on the chain of a gateway at a time. */
export function gatewayRuns({ db }: { db: Pick<Db, 'read'> }) {
  const tips = new Map<string, UnsignedRun>()
  const turns = new Map<string, Promise<unknown>>()
  return {
    inTurn,
    tip,
    put: (run: UnsignedRun) => void tips.set(run.gatewayId, run),
    forget: (gatewayId: string) => void tips.delete(gatewayId),
  }

  function inTurn<T>(gatewayId: string, work: () => Promise<T>): Promise<T> {
    const mine = (turns.get(gatewayId) ?? Promise.resolve()).then(work, work)
    const settled = mine.catch(() => {}).then(() => void (turns.get(gatewayId) === settled && turns.delete(gatewayId)))
    turns.set(gatewayId, settled)
    return mine
  }

  async function tip({ id, org, name }: { id: string; org: string; name: string }): Promise<UnsignedRun> {
    const known = tips.get(id)
    if (known) return known
    const row = await db.read.gatewayAuditRun.findFirst({ where: { gatewayId: id }, orderBy: { began: 'desc' } })
    const none = { gatewayId: id, began: 1, org, gateway: name, because: 'start', first: 1, before: gatewayOrigin, through: 0 }
    const found: UnsignedRun = row ? storedRun(row) : { ...none, hash: gatewayOrigin, removed: 0, dropped: 0, at: '' }
    tips.set(id, found)
    return found
  }
}
