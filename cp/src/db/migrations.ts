import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { McpgError } from '@mcpg/proto/errors'
import { databaseFailure } from './failures.ts'

export type Migration = { name: string; sql: string; checksum: string }
/** A row of `_prisma_migrations` that was not rolled back. */
export type Applied = { name: string; checksum: string; finished: boolean }

/** The migrations of one engine in their order. */
export function readMigrations(folder: string): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

/** Throws failed_precondition with `database_newer`, `migration_interrupted` or `migration_edited` unless `known` begins with `applied`. */
export function refuseStrangers(applied: readonly Applied[], known: readonly Migration[]): void {
  applied.forEach(({ name, checksum, finished }, index) => {
    if (!finished)
      throw new McpgError('failed_precondition', 'migration_interrupted', `The migration ${name} of the database began and never ended.`, {
        hint: 'It was not run by this program, which runs each in one transaction. Restore a backup from before it.',
      })
    const own = known[index]
    if (own?.name !== name)
      throw new McpgError(
        'failed_precondition',
        'database_newer',
        `The database has the migration ${name}, which this program does not know: a newer version wrote it.`,
        { hint: 'Start the newer version, or restore a backup from before its first start.' },
      )
    if (own.checksum !== checksum)
      throw new McpgError(
        'failed_precondition',
        'migration_edited',
        `The migration ${name} ran with another text than the one of this program.`,
        {
          hint: 'Start the version that made this database, or restore a backup.',
        },
      )
  })
}

export function migrationFailure(name: string, error: unknown): McpgError {
  return (
    databaseFailure(error) ??
    new McpgError('failed_precondition', 'migration_failed', `The migration ${name} does not fit this database; nothing was changed.`, {
      hint: 'Start the version that was used last, and report this.',
      cause: error,
    })
  )
}
