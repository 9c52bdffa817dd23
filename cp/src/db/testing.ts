import { Client } from 'pg'
import { createHash, randomUUID } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLog } from '@mcpg/core/log'
import { openDatabase, type Db } from './db.ts'
import { readMigrations } from './migrations.ts'
import { readPostgresUrl } from './postgresql/address.ts'
import { migrate as migratePostgres } from './postgresql/migrate.ts'
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
    const { url, remove } = await newPostgresDatabase(await postgresTemplate())
    return { settings: { engine, address: addressOf(url), migrationsFolder }, remove }
  }
  const folder = temporaryFolder()
  const path = join(folder.path, 'mcpg.db')
  copyFileSync(template(), path)
  return { settings: { engine, path, migrationsFolder }, remove: async () => folder.remove() }
}

/** A database of its own on the PostgreSQL that the run was given (`MCPG_TEST_PG_URL`), empty or a copy. */
export async function newPostgresDatabase(template = 'template1'): Promise<{ url: string; remove: () => Promise<void> }> {
  const server = postgresOfRun()
  const name = `mcpg_test_${randomUUID().replaceAll('-', '')}`
  await ask(server, `CREATE DATABASE "${name}" TEMPLATE "${template}"`)
  return { url: urlOf(server, name), remove: () => ask(server, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`) }
}

function postgresOfRun(): string {
  const server = process.env['MCPG_TEST_PG_URL']
  if (!server) throw new Error('MCPG_TEST_PG_URL is not set; the set-up of the test run starts a PostgreSQL and sets it')
  return server
}

function urlOf(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

/** One statement over a connection of its own. */
export async function ask(url: string, statement: string): Promise<void> {
  await connected(url, (client) => client.query(statement))
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

let prepared: Promise<string> | undefined
/** A migrated database that others are copied from: migrating takes longer than most tests. One per server and state of the migrations. */
async function postgresTemplate(): Promise<string> {
  return (prepared ??= preparePostgresTemplate())
}

async function preparePostgresTemplate(): Promise<string> {
  const server = postgresOfRun()
  const folder = migrationsFolderOf('postgresql')
  const digest = createHash('sha256')
  for (const { checksum } of readMigrations(folder)) digest.update(checksum)
  const name = `mcpg_template_${digest.digest('hex').slice(0, 16)}`
  await connected(server, async (client) => {
    // Several test processes come here at once.
    await client.query(`SELECT pg_advisory_lock(hashtext('${name}'))`)
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
    if (rowCount) return
    const unfinished = `${name}_unfinished`
    await client.query(`DROP DATABASE IF EXISTS "${unfinished}" WITH (FORCE)`)
    await client.query(`CREATE DATABASE "${unfinished}"`)
    await connected(urlOf(server, unfinished), (inside) => migratePostgres(inside, folder))
    await client.query(`ALTER DATABASE "${unfinished}" RENAME TO "${name}"`)
  })
  return name
}

async function connected<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
