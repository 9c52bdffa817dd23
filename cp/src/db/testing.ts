import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openDatabase, type Db } from './db.ts'
import { migrate } from './migrate.ts'

export const migrationsFolder = fileURLToPath(new URL('../../prisma/sqlite/migrations', import.meta.url))

/** A folder (0700) of its own under the system's temporary one; `remove` deletes it. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'mcpg-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** A migrated, empty database for one test file. Closing deletes it. */
export async function testDatabase(): Promise<{ db: Db; path: string; close: () => Promise<void> }> {
  const folder = temporaryFolder()
  const path = join(folder.path, 'mcpg.db')
  copyFileSync(template(), path)
  const db = await openDatabase({ path, migrationsFolder })
  return {
    db,
    path,
    close: async () => {
      await db.stop()
      folder.remove()
    },
  }
}

let made: string | undefined
/** Migrated once per test process; a copy takes a millisecond. */
function template(): string {
  if (made) return made
  const folder = temporaryFolder()
  process.once('exit', () => folder.remove())
  const path = join(folder.path, 'template.db')
  migrate(path, migrationsFolder)
  return (made = path)
}
