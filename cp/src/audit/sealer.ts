import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import type { Db } from '../db/db.ts'
import type { AuditKey } from '../keys/audit-key.ts'
import { turn } from '../turns.ts'
import { linkOf, markText, orgColumn, origin } from './chain.ts'

/** A row is linked and signed within a second of its commit. */
const periodMs = 250
/** Rows of one signature: what is read and hashed in one turn of the main thread, a few milliseconds. */
const portion = 250
/** A row is announced before its transaction commits, which may take the 30 s of the longest one and its wait. */
const watchedMs = 90_000

export type Sealer = ReturnType<typeof auditSealer>

/**
 * Links the rows of each organization in the order in which they came and signs the last of every portion. One for the whole database:
 * rows are written unlinked, so no write waits for another one's hash.
 */
export function auditSealer({
  db,
  key,
  clock,
  log,
}: {
  db: Pick<Db, 'read' | 'sealAudit'>
  key: AuditKey
  clock: Clock
  log: Pick<Log, 'warn'>
}) {
  /** Organizations that may have unlinked rows, and until when to look. */
  const watched = new Map<string, number>()
  const tips = new Map<string, { seq: number; hash: string }>()
  let cancel = () => {}
  let running: Promise<void> = Promise.resolve()
  let stopped = false
  const part: Part = {
    name: 'audit sealer',
    async start() {
      const orgs = await db.read.audit.groupBy({ by: ['org'], where: { seq: null } })
      for (const { org } of orgs) note(org)
      schedule()
    },
    async stop() {
      stopped = true
      cancel()
      await running
      await seal().catch((error: unknown) => log.warn({ err: error }, 'the end of the audit trail is not sealed; the next start does it'))
    },
  }
  return { part, note, seal }

  /** A row of this organization is about to be written. */
  function note(org: string | null): void {
    watched.set(org ?? '', clock.monotonic() + watchedMs)
  }

  function schedule(): void {
    if (stopped) return
    cancel = clock.after(periodMs, () => {
      void seal()
        .catch((error: unknown) => log.warn({ err: error }, 'the audit trail could not be sealed; tried again'))
        .then(schedule)
    })
  }

  /** Everything that was announced and is committed by now; one run at a time, or two would link the same rows. */
  function seal(): Promise<void> {
    const mine = running.then(sealAll)
    running = mine.catch(() => {})
    return mine
  }

  async function sealAll(): Promise<void> {
    for (const [org, until] of Array.from(watched)) {
      const isOver = until < clock.monotonic()
      while ((await sealPortion(org)) === portion) await turn()
      if (isOver && watched.get(org) === until) watched.delete(org)
    }
  }

  async function sealPortion(org: string): Promise<number> {
    const rows = await db.read.audit.findMany({ where: { org: orgColumn(org), seq: null }, take: portion })
    if (rows.length === 0) return 0
    rows.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0))
    let { seq, hash } = tips.get(org) ?? (await tipOf(org))
    const links = rows.map((row) => {
      hash = linkOf(hash, ++seq, row)
      return { id: row.id, seq, hash }
    })
    const mark = { org, kind: 'seal', seq, hash, at: new Date(clock.now()).toISOString(), detail: '' }
    // Read again after a failure: it may have been written all the same.
    tips.delete(org)
    await db.sealAudit({ links, seal: { ...mark, ...key.sign(markText(mark)) } })
    tips.set(org, { seq, hash })
    return rows.length
  }

  async function tipOf(org: string): Promise<{ seq: number; hash: string }> {
    const last = await db.read.auditSeal.findFirst({ where: { org }, orderBy: { seq: 'desc' } })
    return last ?? { seq: 0, hash: origin }
  }
}
