import { Client } from 'pg'
import { randomUUID } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLog } from '@mcpg/core/log'
import { openDatabase, type Db } from './db.ts'
import { readPostgresUrl } from './postgresql/address.ts'
import type { DatabaseSettings } from './settings.ts'
import { migrate } from './sqlite/migrate.ts'

export const engines = ['sqlite', 'postgresql'] as const
export type EngineName = (typeof engines)[number]

/** The engine that this run of the tests is about: `MCPG_TEST_DATABASE`. */
export const engineOfRun: EngineName = process.env['MCPG_TEST_DATABASE'] === 'postgresql' ? 'postgresql' : 'sqlite'

export const migrationsFolderOf = (engine: EngineName): string =>
  fileURLToPath(new URL(`../../prisma/${engine}/migrations`, import.meta.url))

export const silent = createLog({ level: 'silent', json: true })

/** A folder (0700) of its own under the system's temporary one; `remove` deletes it. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'mcpg-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export type TestDatabase = {
  db: Db
  settings: DatabaseSettings
  close: () => Promise<void>
}

/** A migrated, empty database for one test file. Closing deletes it. */
export async function testDatabase(engine: EngineName = engineOfRun): Promise<TestDatabase> {
  const { settings, remove } = await newDatabase(engine)
  const db = await openDatabase(settings, silent)
  return {
    db,
    settings,
    close: async () => {
      await db.stop()
      await remove()
    },
  }
}

/** Where a database of its own is; a control plane that is opened on it migrates it. */
export async function newDatabase(engine: EngineName): Promise<{ settings: DatabaseSettings; remove: () => Promise<void> }> {
  const migrationsFolder = migrationsFolderOf(engine)
  if (engine === 'postgresql') {
    const { url, remove } = await newPostgresDatabase()
    return { settings: { engine, address: addressOf(url), migrationsFolder }, remove }
  }
  const folder = temporaryFolder()
  const path = join(folder.path, 'mcpg.db')
  copyFileSync(template(), path)
  return { settings: { engine, path, migrationsFolder }, remove: async () => folder.remove() }
}

/** A database of its own on the PostgreSQL that the run was given (`MCPG_TEST_PG_URL`). */
export async function newPostgresDatabase(): Promise<{ url: string; remove: () => Promise<void> }> {
  const server = process.env['MCPG_TEST_PG_URL']
  if (!server) throw new Error('MCPG_TEST_PG_URL is not set; the set-up of the test run starts a PostgreSQL and sets it')
  const name = `mcpg_test_${randomUUID().replaceAll('-', '')}`
  await ask(server, `CREATE DATABASE "${name}"`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, remove: () => ask(server, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`) }
}

/** One statement over a connection of its own. */
export async function ask(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

export function addressOf(url: string) {
  const read = readPostgresUrl(url)
  if ('problems' in read) throw new Error(read.problems.join('; '))
  return read.address
}

let made: string | undefined
/** Migrated once per test process; a copy takes a millisecond. */
function template(): string {
  if (made) return made
  const folder = temporaryFolder()
  process.once('exit', () => folder.remove())
  const path = join(folder.path, 'template.db')
  migrate(path, migrationsFolderOf('sqlite'))
  return (made = path)
}
