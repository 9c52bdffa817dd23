import { McpgError } from '@mcpg/proto/errors'
import type { Signs } from '../signs.ts'

export const damagedHint =
  'Stop everything, keep a copy of mcpg.db and mcpg.db-wal, then restore a backup, or move them away to begin anew (gateways must enroll again).'

export function sqliteFailure({ codes, text: texts }: Signs, error: unknown): McpgError | null {
  const text = `${[...codes].join(' ')} ${texts}`
  if (/SQLITE_FULL|database or disk is full|ENOSPC/.test(text))
    return new McpgError('unavailable', 'disk_full', 'The disk of the state dir is full, so nothing was written.', {
      hint: 'Free some space, then try again: df -h <state-dir>',
      cause: error,
      retryAfterSeconds: 30,
    })
  if (/SQLITE_CORRUPT|SQLITE_NOTADB|malformed|file is not a database/.test(text))
    return new McpgError('failed_precondition', 'database_damaged', 'The database file is damaged.', { hint: damagedHint, cause: error })
  if (/SQLITE_READONLY|SQLITE_IOERR|SQLITE_CANTOPEN|attempt to write a readonly database|disk I\/O error/.test(text))
    return new McpgError('unavailable', 'database_unreachable', 'The database file cannot be read or written.', {
      hint: 'Look at the disk and at owner and mode of the state dir: mcpg-ctl doctor',
      cause: error,
      retryAfterSeconds: 5,
    })
  if (/SQLITE_BUSY|SQLITE_LOCKED|database is locked|Socket timeout/.test(text))
    return new McpgError('unavailable', 'database_busy', 'Another program holds the database file.', {
      hint: 'Close what else has mcpg.db open, then try again.',
      cause: error,
      retryAfterSeconds: 1,
    })
  return null
}
