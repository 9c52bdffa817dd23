import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { McpgError } from '@mcpg/proto/errors'
import type { Db, ReportWrite } from '../db/db.ts'

export type Writes = ReturnType<typeof coalescedWrites>

const retryMs = 1_000
/** Rows of one transaction: what comes after it does not wait long. */
const portion = 500

type Waiting = Map<string, ReportWrite>

/**
 * Writes of what gateways report: put together for `delayMs` and committed in few transactions; of two with the same key the later one
 * counts. What cannot be written stays and is tried again, so nothing is lost while the database is away.
 */
export function coalescedWrites({ db, clock, delayMs, log }: { db: Pick<Db, 'writeReports'>; clock: Clock; delayMs: number; log: Log }) {
  let pending: Waiting = new Map()
  let waiters: (() => void)[] = []
  let cancel: (() => void) | null = null
  let dueAt = Infinity
  let running: Promise<void> = Promise.resolve()
  return { put, committed, flush }

  function put(key: string, write: ReportWrite): void {
    pending.delete(key)
    pending.set(key, write)
    schedule(delayMs)
  }

  /** Resolves once everything put so far is on disk; hurries it to `withinMs`. */
  function committed(withinMs: number): Promise<void> {
    if (pending.size === 0) return running
    schedule(withinMs)
    return new Promise((resolve) => waiters.push(resolve))
  }

  function schedule(inMs: number): void {
    const at = clock.monotonic() + inMs
    if (cancel && dueAt <= at) return
    cancel?.()
    dueAt = at
    cancel = clock.after(inMs, () => void flush())
  }

  function flush(): Promise<void> {
    cancel?.()
    cancel = null
    dueAt = Infinity
    running = running.then(commit)
    return running
  }

  async function commit(): Promise<void> {
    if (pending.size === 0) return
    const batch = pending
    const told = waiters
    pending = new Map()
    waiters = []
    const left = new Map(batch)
    for (const part of portionsOf(batch))
      try {
        await db.writeReports([...part.values()])
        for (const key of part.keys()) left.delete(key)
      } catch (error) {
        if (isPassing(error)) {
          log.warn({ err: error, writes: left.size }, 'reports of gateways are not written yet; trying again')
          pending = new Map([...left, ...pending])
          waiters = [...told, ...waiters]
          schedule(retryMs)
          return
        }
        await commitSingly(part)
        for (const key of part.keys()) left.delete(key)
      }
    for (const tell of told) tell()
  }

  /** One write that can never succeed must not hold up those of others. */
  async function commitSingly(part: Waiting): Promise<void> {
    for (const [key, write] of part)
      await db.writeReports([write]).catch((error: unknown) => {
        if (isPassing(error)) put(key, write)
        else log.error({ err: error, key }, 'a report of a gateway could not be written')
      })
  }
}

function* portionsOf(batch: Waiting): Generator<Waiting> {
  let part: Waiting = new Map()
  let rows = 0
  for (const [key, write] of batch) {
    part.set(key, write)
    rows += write.op === 'proven' ? write.servers.length : write.op === 'lastSeen' ? write.ids.length : 1
    if (rows < portion) continue
    yield part
    part = new Map()
    rows = 0
  }
  if (part.size > 0) yield part
}

const isPassing = (error: unknown): boolean => error instanceof McpgError && error.code === 'unavailable'
