import { Client } from 'pg'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readMigrations } from '../migrations.ts'
import { migrationsFolderOf, newPostgresDatabase, temporaryFolder } from '../testing.ts'
import { migrate } from './migrate.ts'

const migrationsFolder = migrationsFolderOf('postgresql')
let client: Client
let folder: ReturnType<typeof temporaryFolder>
let remove: () => Promise<void>
beforeEach(async () => {
  folder = temporaryFolder()
  const made = await newPostgresDatabase()
  remove = made.remove
  client = new Client({ connectionString: made.url })
  await client.connect()
})
afterEach(async () => {
  await client.end()
  await remove()
  folder.remove()
})

/** The committed migrations and others on top of them. */
function migrationsWith(others: Record<string, string>): string {
  const target = join(folder.path, 'migrations')
  cpSync(migrationsFolder, target, { recursive: true })
  for (const [name, sql] of Object.entries(others)) {
    mkdirSync(join(target, name), { recursive: true })
    writeFileSync(join(target, name, 'migration.sql'), sql)
  }
  return target
}

const query = async (sql: string) => (await client.query(sql)).rows as Record<string, unknown>[]
const isThere = async (table: string) => (await query(`SELECT to_regclass('${table}') IS NOT NULL AS there`))[0]!['there']

describe('migrate', () => {
  it('applies every migration once, with a history as Prisma writes it', async () => {
    const count = await migrate(client, migrationsFolder)
    expect(count).toBe(readMigrations(migrationsFolder).length)
    const rows = await query('SELECT * FROM _prisma_migrations ORDER BY migration_name')
    expect(rows).toHaveLength(count)
    expect(rows[0]).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      migration_name: '0001_init',
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      started_at: expect.any(Date),
      finished_at: expect.any(Date),
      applied_steps_count: 1,
    })
    expect(await migrate(client, migrationsFolder)).toBe(count)
    expect(await query('SELECT * FROM _prisma_migrations')).toHaveLength(count)
  })

  it('makes every text sort by its bytes, as SQLite does, whatever the language of the database', async () => {
    await migrate(client, migrationsFolder)
    const others = await query(`SELECT table_name, column_name FROM information_schema.columns
      WHERE table_schema = 'public' AND data_type = 'text' AND table_name <> '_prisma_migrations' AND collation_name IS DISTINCT FROM 'C'`)
    expect(others).toEqual([])
  })

  it('applies what is new and keeps the data', async () => {
    await migrate(client, migrationsFolder)
    await query(`INSERT INTO orgs ("name", "createdAt") VALUES ('kept', 't')`)
    await migrate(client, migrationsWith({ '0900_more': 'CREATE TABLE "more" ("id" TEXT COLLATE "C" PRIMARY KEY);' }))
    expect(await query('SELECT name FROM orgs')).toEqual([{ name: 'kept' }])
    expect(await isThere('more')).toBe(true)
  })

  it('leaves nothing of a migration that fails in the middle, and goes on once it is mended', async () => {
    await migrate(client, migrationsFolder)
    const broken = migrationsWith({ '0900_half': 'CREATE TABLE "half" ("id" INT);\nINSERT INTO "nowhere" VALUES (1);' })
    await expect(migrate(client, broken)).rejects.toMatchObject({
      reason: 'migration_failed',
      message: expect.stringContaining('0900_half'),
    })
    expect(await isThere('half')).toBe(false)
    await migrate(client, migrationsWith({ '0900_half': 'CREATE TABLE "half" ("id" INT);' }))
    expect(await isThere('half')).toBe(true)
  })

  it.each([
    ['a newer program wrote', `('later', '', '0900_future', now())`, 'database_newer', /0900_future/],
    ['another tool left in the middle of a migration', `('half', '', '0900_half', NULL)`, 'migration_interrupted', /0900_half/],
  ])('leaves a database alone which %s', async (_what, values, reason, message) => {
    await migrate(client, migrationsFolder)
    await query(`INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ${values}`)
    await expect(migrate(client, migrationsFolder)).rejects.toMatchObject({ reason, message: expect.stringMatching(message) })
  })

  it('refuses a history with another text than its own', async () => {
    await migrate(client, migrationsFolder)
    await query(`UPDATE _prisma_migrations SET checksum = 'other'`)
    await expect(migrate(client, migrationsFolder)).rejects.toMatchObject({ reason: 'migration_edited' })
  })
})
