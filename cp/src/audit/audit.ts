import { randomUUID } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Caller } from '../access/caller.ts'
import type { AuditRow, Db, Tx } from '../db/db.ts'

/** What an action was done to. `detail` holds names and numbers, never a value of a spec or a secret. */
export type AuditTarget = {
  org?: string | undefined
  workspace?: string | undefined
  kind?: string | undefined
  name?: string | undefined
  uid?: string | undefined
  detail?: Record<string, unknown> | undefined
  /** Digests of the object; undefined where there was, or is, none. */
  before?: string | undefined
  after?: string | undefined
}

export type Audit = ReturnType<typeof auditTrail>

/** The trail of who did what: rows stand in the transaction of what they tell of. Actions are `noun.verb`. */
export function auditTrail({ db, clock }: { db: Pick<Db, 'appendAudit'>; clock: Clock }) {
  let tell = (_org: string | null): void => {}
  return { record, row, append, onRow }

  /** Told of the organization of every row, before it is written. */
  function onRow(listener: (org: string | null) => void): void {
    tell = listener
  }

  async function record(tx: Tx, caller: Caller, action: string, target: AuditTarget): Promise<void> {
    await tx.audit.create({ data: row(caller, action, target) })
  }

  /** For batches that the writer thread puts down. */
  function row(caller: Caller, action: string, { org, workspace, kind, name, uid, detail, before, after }: AuditTarget): AuditRow {
    tell(org ?? null)
    return {
      id: randomUUID(),
      at: new Date(clock.now()).toISOString(),
      org: org ?? null,
      workspace: workspace ?? null,
      actor: caller.subject,
      actorKind: caller.kind,
      action,
      kind: kind ?? null,
      name: name ?? null,
      uid: uid ?? null,
      source: caller.source || null,
      requestId: caller.requestId || null,
      detail: detail === undefined ? null : JSON.stringify(detail),
      impersonator: caller.impersonator ?? null,
      beforeDigest: before ?? null,
      afterDigest: after ?? null,
    }
  }

  /** Rows of what happened elsewhere (calls at gateways), up to 500 a batch; acknowledged once they are on disk. */
  async function append(rows: AuditRow[]): Promise<void> {
    for (let from = 0; from < rows.length; from += 500) await db.appendAudit(rows.slice(from, from + 500))
  }
}
