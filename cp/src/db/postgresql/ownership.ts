import type { Client } from 'pg'
import { setTimeout as pause } from 'node:timers/promises'
import { McpgError } from '@mcpg/proto/errors'
import { migrate } from './migrate.ts'
import type { Owner, PostgresTarget } from '../engine.ts'
import { connect, drop, lockSpace, ownerFact, ownerLock, readOwner, takenOver, writersLock } from './connect.ts'

/** A control plane that was killed loses its connections within moments. */
const ownerPatienceMs = 3_000
/** What the owner before this one had sent may still be at work. */
const writersPatienceMs = 35_000
const askMs = 100
/** How often the server is asked whether it is there, how long it may take, and how soon it is looked for again. */
const pulseMs = 5_000
const retryMs = 1_000

export type Ownership = Awaited<ReturnType<typeof takeOwnership>>

/**
 * Makes the database ours alone for as long as this process lives, and migrates it: gateways live in memory, so two control planes on one
 * database would overwrite each other. The lock belongs to a connection; when that is lost, nothing may be written until the lock is
 * ours again and nobody else had it meanwhile. Throws failed_precondition `database_in_use` naming who has it.
 */
export async function takeOwnership({
  target,
  migrationsFolder,
  onLost,
  onRegained,
}: {
  target: PostgresTarget
  migrationsFolder: string
  onLost: () => void
  onRegained: () => void
}) {
  let client: Client | null = null
  let taken: McpgError | null = null
  let fail: (error: unknown) => void = () => {}
  const closing = new AbortController()
  const migrations = await begin()
  const working = keep()

  return {
    migrations,
    /** Null when the database may be written. */
    refusal: (): McpgError | null => taken ?? (client ? null : away()),
    watch(listener: (error: unknown) => void) {
      fail = listener
      if (taken) fail(taken)
    },
    async close() {
      closing.abort()
      await working
      await client?.end().catch(() => {}) // it broke meanwhile
    },
  }

  async function begin(): Promise<number> {
    const first = await connect(target, 'owner')
    try {
      if (!(await lockWithin(first, ownerLock, ownerPatienceMs))) throw await inUse(first)
      const count = await migrate(first, migrationsFolder)
      if (!(await lockWithin(first, writersLock, writersPatienceMs))) throw await inUse(first)
      await first.query(
        'INSERT INTO "facts" ("key", "value") VALUES ($1, $2) ON CONFLICT ("key") DO UPDATE SET "value" = excluded."value"',
        [ownerFact, JSON.stringify(target.owner)],
      )
      await first.query('SELECT pg_advisory_unlock($1, $2)', [lockSpace, writersLock])
      client = first
      return count
    } catch (error) {
      drop(first)
      throw error
    }
  }

  /** Notices that the connection is gone and gets another one, until the end. */
  async function keep(): Promise<void> {
    while (!closing.signal.aborted && !taken) {
      if (client && (await isThere(client))) continue
      if (closing.signal.aborted) return
      if (client) {
        drop(client)
        client = null
        onLost()
      }
      await regain().catch(() => {}) // not there yet
      if (client) onRegained()
      else await pause(retryMs, undefined, { signal: closing.signal }).catch(() => {})
    }
    if (taken) fail(taken)
  }

  /** Waits one pulse, or until the connection ends; then whether the server answers on it. */
  async function isThere(current: Client): Promise<boolean> {
    const ended = Promise.withResolvers<void>()
    const tell = () => ended.resolve()
    current.once('end', tell)
    await Promise.race([pause(pulseMs, undefined, { signal: closing.signal }).catch(() => {}), ended.promise])
    current.off('end', tell)
    if (closing.signal.aborted) return true
    return current.query({ text: 'SELECT 1', query_timeout: pulseMs } as { text: string }).then(
      () => true,
      () => false,
    )
  }

  async function regain(): Promise<void> {
    const next = await connect(target, 'owner')
    try {
      const isOurs = await tryLock(next, ownerLock)
      const now = await readOwner(next)
      if (now?.boot !== target.owner.boot) taken = takenOver(now)
      else if (isOurs) client = next
    } finally {
      // Not ours yet: the server has not noticed the end of our old connection.
      if (client !== next) drop(next)
    }
  }
}

const away = (): McpgError =>
  new McpgError('unavailable', 'storage_unavailable', 'PostgreSQL does not answer, so nothing can be written.', {
    hint: 'Start it again; it is found by itself. What runs on the gateways goes on.',
    retryAfterSeconds: 5,
  })

async function inUse(client: Client): Promise<McpgError> {
  // A database that was never migrated has no such table.
  const by: Owner | null = await readOwner(client).catch(() => null)
  const who = by ? `the control plane with pid ${by.pid} on ${by.host}, since ${by.since}` : 'another control plane'
  return new McpgError('failed_precondition', 'database_in_use', `The database is in use by ${who}.`, {
    hint: 'This version runs one control plane per database. Stop that one, or give this one another --database-url.',
  })
}

async function lockWithin(client: Client, lock: number, ms: number): Promise<boolean> {
  for (const deadline = performance.now() + ms; ; await pause(askMs)) {
    if (await tryLock(client, lock)) return true
    if (performance.now() > deadline) return false
  }
}

async function tryLock(client: Client, lock: number): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS held', [lockSpace, lock])
  return rows[0]?.held === true
}
