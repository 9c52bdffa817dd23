import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Audit } from '../audit/audit.ts'
import type { AuditRow } from '../db/db.ts'

const delayMs = 50
const retryMs = 1_000
/** What may wait while the database is away; beyond that no call is taken, since it could not be told. */
const maxWaiting = 10_000

export type Ledger = ReturnType<typeof callLedger>

/** The audit rows of calls, many in one transaction: a call does not wait for a disk. */
export function callLedger({ audit, clock, log }: { audit: Pick<Audit, 'append'>; clock: Clock; log: Log }) {
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
      log.warn({ err: error, rows: rows.length }, 'calls are not in the audit trail yet; trying again')
      waiting = [...rows, ...waiting]
      cancel ??= clock.after(retryMs, () => void flush())
    }
  }
}
