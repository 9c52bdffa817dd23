import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Caller } from '../access/caller.ts'
import type { Db } from '../db/db.ts'
import type { Chore } from '../keeper.ts'
import type { AuditKey } from '../keys/audit-key.ts'
import type { Audit } from './audit.ts'
import { auditPurge } from './purge.ts'
import { gatewayPurge } from './gateway-purge.ts'
import type { GatewayRuns } from './gateway-runs.ts'
import { auditQueries, type GatewayNameOf } from './query.ts'
import { auditSealer } from './sealer.ts'
import { auditSessions } from './sessions.ts'
import { auditVerifier } from './verify.ts'

/** The default of "Defaults and limits": 400 d, so that a year can be compared with the one before. */
const keptMs = 400 * 86_400_000

export type AuditTrailService = ReturnType<typeof auditTrailService>

/** What can be done with the trail once it is written: sealed, read, verified and, when it is old, removed. */
export function auditTrailService({
  db,
  audit,
  key,
  runs,
  nameOf,
  clock,
  log,
}: {
  db: Db
  audit: Audit
  key: AuditKey
  runs: GatewayRuns
  nameOf: GatewayNameOf
  clock: Clock
  log: Log
}) {
  const sealer = auditSealer({ db, key, clock, log })
  audit.onRow(sealer.note)
  const removal = auditPurge({ db, key, clock })
  const { removeSeen } = gatewayPurge({ db, key, runs, clock })
  return {
    ...auditQueries({ db, nameOf }),
    ...auditVerifier({ db, key }),
    ...auditSessions({ db }),
    purge,
    part: sealer.part,
    chore: { name: 'audit trail', run: removeOld } satisfies Chore,
  }

  /** RFC 3339 `before`; also young rows may go, and the row that tells of it is the one that stays. */
  async function purge(caller: Caller, org: string, before: string): Promise<{ removed: number }> {
    const time = new Date(before).toISOString()
    await sealer.seal()
    const removed = (await removal.remove(org, time, caller.subject)) + (await removeSeen(org, time))
    await db.write((tx) =>
      audit.record(tx, caller, 'audit.purge', {
        org: org === '' ? undefined : org,
        kind: 'Audit',
        name: org === '' ? 'platform' : org,
        detail: { before: time, removed },
      }),
    )
    return { removed }
  }

  async function removeOld(stopping: AbortSignal): Promise<void> {
    const before = new Date(clock.now() - keptMs).toISOString()
    const old = await db.read.audit.groupBy({ by: ['org'], where: { at: { lt: before } } })
    // Only what is linked can go; rows of before there was a chain are linked first.
    for (const { org } of old) sealer.note(org)
    await sealer.seal()
    for (const { org } of old) await removal.remove(org ?? '', before, 'retention', stopping)
    const seen = await db.read.gatewayAudit.groupBy({ by: ['org'], where: { at: { lt: before } } })
    for (const { org } of seen) await removeSeen(org, before, stopping)
  }
}
