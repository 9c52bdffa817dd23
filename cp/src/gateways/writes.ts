import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { McpgError } from '@mcpg/proto/errors'
import type { Db, Tx } from '../db/db.ts'

export type Writes = ReturnType<typeof coalescedWrites>

type Write = (tx: Tx) => Promise<void>

const retryMs = 1_000

/**
 * Writes of what gateways report: put together for `delayMs` and committed in one transaction; of two with the same key the later one
 * counts. What cannot be written stays and is tried again, so nothing is lost while the database is away.
 */
export function coalescedWrites({ db, clock, delayMs, log }: { db: Pick<Db, 'write'>; clock: Clock; delayMs: number; log: Log }) {
  let pending = new Map<string, Write>()
  let waiters: (() => void)[] = []
  let cancel: (() => void) | null = null
  let dueAt = Infinity
  let running: Promise<void> = Promise.resolve()
  return { put, committed, flush }

  function put(key: string, write: Write): void {
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
    try {
      await db.write(async (tx) => {
        for (const write of batch.values()) await write(tx)
      })
    } catch (error) {
      if (isPassing(error)) {
        log.warn({ err: error, writes: batch.size }, 'reports of gateways are not written yet; trying again')
        pending = new Map([...batch, ...pending])
        waiters = [...told, ...waiters]
        schedule(retryMs)
        return
      }
      await commitSingly(batch)
    }
    for (const tell of told) tell()
  }

  /** One write that can never succeed must not hold up those of others. */
  async function commitSingly(batch: Map<string, Write>): Promise<void> {
    for (const [key, write] of batch)
      await db.write(write).catch((error: unknown) => {
        if (isPassing(error)) put(key, write)
        else log.error({ err: error, key }, 'a report of a gateway could not be written')
      })
  }
}

const isPassing = (error: unknown): boolean => error instanceof McpgError && error.code === 'unavailable'
