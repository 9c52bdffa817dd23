import Database from 'better-sqlite3'
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, statSync } from 'node:fs'
import { McpgError } from '@mcpg/proto/errors'
import { databaseFailure } from '../failures.ts'
import { migrationFailure, readMigrations, refuseStrangers, type Applied, type Migration } from '../migrations.ts'
import { damagedHint } from './failures.ts'

/** Up to this size the whole file is checked at start (about 100 ms); a damaged larger one is found when the damage is read. */
const fullCheckBytes = 32 << 20

/**
 * Brings the SQLite file at `path` (created 0600) up to the newest migration in `folder` and answers how many it has. Every migration is one exclusive
 * transaction together with its row in `_prisma_migrations`, so an interrupted start leaves none half done. Throws
 * failed_precondition with `database_newer`, `database_damaged`, `migration_interrupted`, `migration_edited` or `migration_failed`.
 */
export function migrate(path: string, folder: string): number {
  const known = readMigrations(folder)
  const database = open(path)
  try {
    const inOneTransaction = database.transaction(() => {
      const applied = readApplied(database)
      refuseStrangers(applied, known)
      const next = known[applied.length]
      if (next) apply(database, next)
      return next === undefined
    })
    while (!inOneTransaction.exclusive());
    return known.length
  } catch (error) {
    if (error instanceof McpgError) throw error
    throw databaseFailure(error) ?? error
  } finally {
    database.close()
  }
}

function open(path: string): Database.Database {
  try {
    closeSync(openSync(path, 'a', 0o600))
    const database = new Database(path, { timeout: 10_000 })
    database.pragma('journal_mode = WAL')
    if (statSync(path).size <= fullCheckBytes) {
      const found = database.pragma('quick_check(1)', { simple: true })
      if (found !== 'ok')
        throw new McpgError('failed_precondition', 'database_damaged', `The database ${path} is damaged: ${String(found)}.`, {
          hint: damagedHint,
        })
    }
    return database
  } catch (error) {
    if (error instanceof McpgError) throw error
    const failure = databaseFailure(error)
    if (failure) throw new McpgError(failure.code, failure.reason, `${failure.message} (${path})`, { hint: failure.hint, cause: error })
    throw error
  }
}

function readApplied(database: Database.Database): Applied[] {
  // Prisma's own table, to the letter, so that its tools recognize the history.
  database.exec(`CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id" TEXT PRIMARY KEY NOT NULL, "checksum" TEXT NOT NULL, "finished_at" DATETIME, "migration_name" TEXT NOT NULL, "logs" TEXT,
    "rolled_back_at" DATETIME, "started_at" DATETIME NOT NULL DEFAULT current_timestamp, "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0)`)
  const rows = database
    .prepare(
      'SELECT migration_name AS name, checksum, finished_at AS finishedAt FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name',
    )
    .all() as { name: string; checksum: string; finishedAt: number | null }[]
  return rows.map(({ name, checksum, finishedAt }) => ({ name, checksum, finished: finishedAt !== null }))
}

function apply(database: Database.Database, { name, sql, checksum }: Migration): void {
  const startedAt = Date.now()
  try {
    database.exec(sql)
  } catch (error) {
    throw migrationFailure(name, error)
  }
  database
    .prepare(
      'INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, started_at, applied_steps_count) VALUES (?, ?, ?, ?, ?, 1)',
    )
    .run(randomUUID(), checksum, Date.now(), name, startedAt)
}
