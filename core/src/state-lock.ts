import Database from 'better-sqlite3'
import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Takes a folder for this process: an exclusive transaction on `lock.db` in it, which dies with the process on every platform; a pid
 * file alone is no lock. Null when another process holds it. The answer releases.
 */
export function lockFolder(folder: string): (() => void) | null {
  const path = join(folder, 'lock.db')
  const fresh = !existsSync(path)
  const database = new Database(path, { timeout: 0 })
  if (fresh) chmodSync(path, 0o600)
  try {
    database.pragma('locking_mode = EXCLUSIVE')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isBusy(error)) return null
    throw error
  }
  return () => database.close()
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^SQLITE_(BUSY|LOCKED)/.test(error.code)
}
