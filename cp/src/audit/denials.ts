import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import type { Caller } from '../access/caller.ts'
import type { Db } from '../db/db.ts'
import type { Audit, AuditTarget } from './audit.ts'
import { auditLedger } from './ledger.ts'

/** Somebody who was not let in. `operation` is spelled without what a caller wrote into it: `POST /v1/orgs/:org`, `/service/Method`. */
export type Denial = { caller: Caller; operation: string; reason: string; target: AuditTarget }

/** The first of its kind is told at once, the rest of a window when it ends, as a number. */
const windowMs = 60_000
/** Kinds of denials that one caller from one address has to itself in a window; what goes beyond is told as one. */
const maxPerCaller = 100
/** The same for all callers together. */
const maxPerWindow = 1_000

type Told = { denial: Denial; repeats: number; last: { at: number; requestId: string } }

export type Denials = ReturnType<typeof denialBook>

/**
 * Denials in the audit trail. Whoever is refused costs nobody anything, so a flood must not cost us a row each: equal ones of a minute
 * are two rows, the second with their number, and all together they are at most two thousand rows a minute. Nothing waits for them.
 */
export function denialBook({ db, audit, clock, log }: { db: Pick<Db, 'read'>; audit: Audit; clock: Clock; log: Pick<Log, 'warn'> }) {
  const ledger = auditLedger({ audit, clock, log })
  const told = new Map<string, Told>()
  const kindsOf = new Map<string, number>()
  let cancel: (() => void) | null = null
  /** Organizations are looked up in the order of the denials, so that the rows keep it. */
  let settling: Promise<void> = Promise.resolve()
  const part: Part = { name: 'denials', start: async () => {}, stop: flush }
  return { note, part }

  function note(denial: Denial): void {
    const at = clock.now()
    const { key, shown } = placeOf(denial)
    const before = told.get(key)
    if (before) {
      before.repeats++
      before.last = { at, requestId: denial.caller.requestId }
      return
    }
    told.set(key, { denial: shown, repeats: 0, last: { at, requestId: denial.caller.requestId } })
    cancel ??= clock.after(windowMs, endWindow)
    write([{ denial: shown, detail: {} }])
  }

  /** Where it is counted: by itself, with all that its caller is refused, or with everybody's. */
  function placeOf(denial: Denial): { key: string; shown: Denial } {
    const { caller, operation, reason, target } = denial
    const who = JSON.stringify([caller.source, caller.subject])
    const key = JSON.stringify([who, operation, reason, target.org, target.workspace, target.kind, target.name])
    if (told.has(key)) return { key, shown: denial }
    const kinds = kindsOf.get(who) ?? 0
    if (told.size >= maxPerWindow) return { key: 'all', shown: { ...summary(denial), caller: { ...caller, subject: 'many', source: '' } } }
    if (kinds >= maxPerCaller) return { key: who, shown: summary(denial) }
    kindsOf.set(who, kinds + 1)
    return { key, shown: denial }
  }

  function endWindow(): void {
    cancel?.()
    cancel = null
    const repeated = [...told.values()].filter(({ repeats }) => repeats > 0)
    told.clear()
    kindsOf.clear()
    write(
      repeated.map(({ denial, repeats, last }) => ({
        denial: { ...denial, caller: { ...denial.caller, requestId: last.requestId } },
        detail: { repeated: repeats, lastAt: new Date(last.at).toISOString() },
      })),
    )
  }

  function write(denials: { denial: Denial; detail: Record<string, unknown> }[]): void {
    if (denials.length === 0) return
    if (ledger.isFull()) return log.warn({ denials: denials.length }, 'denials are lost: the audit trail cannot be written')
    settling = settling.then(async () => {
      const orgs = await existing(denials.flatMap(({ denial }) => denial.target.org ?? []))
      for (const { denial, detail } of denials) {
        const { caller, operation, reason, target } = denial
        const { org } = target
        // An organization that somebody made up has no trail.
        const isKnown = org === undefined || orgs.has(org)
        const about = { operation, reason, ...(isKnown ? {} : { org }), ...detail }
        ledger.note(audit.row(caller, 'access.deny', { ...target, org: isKnown ? org : undefined, detail: about }))
      }
    })
  }

  async function existing(names: string[]): Promise<Set<string>> {
    if (names.length === 0) return new Set()
    const orgs = await db.read.org.findMany({ where: { name: { in: [...new Set(names)] } }, select: { name: true } }).catch(() => [])
    return new Set(orgs.map(({ name }) => name))
  }

  /** What is known by now, repeats too. */
  async function flush(): Promise<void> {
    endWindow()
    await settling
    await ledger.flush()
  }
}

const summary = ({ caller }: Denial): Denial => ({ caller, operation: 'several', reason: 'several', target: {} })
