import type { AuditSession, AuditSessionQuery } from '@mcpg/proto/rest/audit'
import type { Db } from '../db/db.ts'
import { callActions } from './gateway-event.ts'
import { sharedBy } from './query.ts'

/** Calls by session, the latest first; clients of the modern era have none, theirs are together by who they are. */
export function auditSessions({ db }: { db: Pick<Db, 'read'> }) {
  return { sessions }

  async function sessions(org: string, { limit, ...filter }: AuditSessionQuery): Promise<{ items: AuditSession[] }> {
    const where = { org, ...sharedBy(filter) }
    const by = ['gateway', 'session', 'actor', 'verified', 'client'] as const
    const groups = await db.read.gatewayAudit.groupBy({
      by: [...by],
      where,
      _min: { at: true },
      _max: { at: true },
      orderBy: { _max: { at: 'desc' } },
      take: limit,
    })
    if (groups.length === 0) return { items: [] }
    const counts = await db.read.gatewayAudit.groupBy({
      by: [...by, 'outcome'],
      where: { ...where, action: { in: callActions }, actor: { in: [...new Set(groups.map(({ actor }) => actor))] } },
      _count: true,
    })
    const byKey = Map.groupBy(counts, keyOf)
    return {
      items: groups.map((group) => {
        const outcomes = byKey.get(keyOf(group)) ?? []
        const sum = (isCounted: (outcome: string) => boolean) =>
          outcomes.reduce((total, { outcome, _count: count }) => total + (isCounted(outcome) ? count : 0), 0)
        const { gateway, session, actor, verified, client, _min: min, _max: max } = group
        return {
          ...(session !== null && { session }),
          gateway,
          actor,
          verified,
          ...(client !== null && { client }),
          firstAt: min.at ?? '',
          lastAt: max.at ?? '',
          calls: sum(() => true),
          failed: sum((outcome) => outcome !== 'ok' && outcome !== 'denied'),
          denied: sum((outcome) => outcome === 'denied'),
        }
      }),
    }
  }
}

type Group = { gateway: string; session: string | null; actor: string; verified: boolean; client: string | null }
const keyOf = ({ gateway, session, actor, verified, client }: Group): string => JSON.stringify([gateway, session, actor, verified, client])
