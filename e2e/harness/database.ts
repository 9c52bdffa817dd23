import { Client } from 'pg'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { closeLater } from './cleanup.ts'

/** Which database the control planes of this run have; the stories are the same. */
const isPostgres = process.env['MCPG_TEST_DATABASE'] === 'postgresql'

const urls = new Map<string, string>()

/**
 * Variables that put the control plane of a state dir on the engine of the run: on PostgreSQL a database of its own that is kept over
 * restarts, on SQLite nothing.
 */
export async function databaseOf(stateDir: string): Promise<Record<string, string>> {
  if (isPostgres && !urls.has(stateDir)) await putOnPostgres(stateDir)
  const url = urls.get(stateDir)
  return url === undefined ? {} : { MCPG_DATABASE_URL: url }
}

/** Whatever the engine of the run is: the control planes of this state dir have a database of their own on this PostgreSQL. */
export async function putOnPostgres(stateDir: string, server?: string): Promise<void> {
  urls.set(stateDir, await newPostgresDatabase(server))
}

/** An empty database on the PostgreSQL of the run; it is dropped after the test. */
export async function newPostgresDatabase(server = process.env['MCPG_TEST_PG_URL']): Promise<string> {
  if (!server) throw new Error('MCPG_TEST_PG_URL is not set; the set-up of the test run starts a PostgreSQL and sets it')
  const name = `mcpg_e2e_${randomUUID().replaceAll('-', '')}`
  await query(server, `CREATE DATABASE "${name}"`)
  const url = new URL(server)
  url.pathname = `/${name}`
  closeLater(() => query(server, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`))
  return url.href
}

/** Every row of every table as the database keeps it, bytes as they are; null where the files of the state dir are all there is. */
export async function dumpOf(stateDir: string): Promise<Buffer | null> {
  const url = urls.get(stateDir)
  if (!url) return null
  const parts: Buffer[] = []
  const tables = await query<{ name: string }>(url, `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`)
  for (const { name } of tables)
    for (const row of await query<Record<string, unknown>>(url, `SELECT * FROM "${name}"`))
      for (const value of Object.values(row)) parts.push(Buffer.isBuffer(value) ? value : Buffer.from(String(value)), Buffer.from('\n'))
  return Buffer.concat(parts)
}

/** Changes rows behind the back of the control plane that runs on this state dir. */
export async function statement(stateDir: string, text: string): Promise<void> {
  const url = urls.get(stateDir)
  if (url) return void (await query(url, text))
  const database = new DatabaseSync(join(stateDir, 'mcpg.db'))
  try {
    database.exec(`PRAGMA busy_timeout = 5000; ${text}`)
  } finally {
    database.close()
  }
}

/** Rows of the database of a control plane that may run meanwhile. */
export async function rowsOf<Row extends object>(stateDir: string, text: string): Promise<Row[]> {
  const url = urls.get(stateDir)
  if (url) return await query<Row>(url, text)
  const database = new DatabaseSync(join(stateDir, 'mcpg.db'))
  try {
    database.exec('PRAGMA busy_timeout = 5000')
    return database.prepare(text).all() as Row[]
  } finally {
    database.close()
  }
}

/** One statement over a connection of its own. */
export async function query<Row extends object>(url: string, statement: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {}) // told by the query
  await client.connect()
  try {
    return (await client.query(statement)).rows as Row[]
  } finally {
    await client.end()
  }
}
