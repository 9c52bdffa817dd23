import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { AuditRow } from '../db/db.ts'
import type { Audit } from './audit.ts'

const delayMs = 50
const retryMs = 1_000
/** What may wait while the database is away; beyond that nothing more is taken, since it could not be told. */
const maxWaiting = 10_000

export type Ledger = ReturnType<typeof auditLedger>

/** Rows of what has no transaction of its own (calls, denials), many in one: nobody waits for a disk. */
export function auditLedger({ audit, clock, log }: { audit: Pick<Audit, 'append'>; clock: Clock; log: Pick<Log, 'warn'> }) {
  let waiting: AuditRow[] = []
  let cancel: (() => void) | null = null
  let writing: Promise<void> = Promise.resolve()
  return { note, isFull: () => waiting.length >= maxWaiting, flush }

  function note(row: AuditRow): void {
    waiting.push(row)
    cancel ??= clock.after(delayMs, () => void flush())
  }

  function flush(): Promise<void> {
    cancel?.()
    cancel = null
    writing = writing.then(write)
    return writing
  }

  async function write(): Promise<void> {
    const rows = waiting
    if (rows.length === 0) return
    waiting = []
    try {
      await audit.append(rows)
    } catch (error) {
      log.warn({ err: error, rows: rows.length }, 'rows are not in the audit trail yet; trying again')
      waiting = [...rows, ...waiting]
      cancel ??= clock.after(retryMs, () => void flush())
    }
  }
}
