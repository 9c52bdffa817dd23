import Database from 'better-sqlite3'
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../db.ts'
import { databaseFailure } from '../failures.ts'
import { migrate } from './migrate.ts'
import { migrationsFolderOf, silent, temporaryFolder } from '../testing.ts'

const migrationsFolder = migrationsFolderOf('sqlite')

let folder: ReturnType<typeof temporaryFolder>
let path: string
beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder.path, 'mcpg.db')
})
afterEach(() => folder.remove())

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

function query<T>(sql: string): T[] {
  const database = new Database(path, { readonly: true })
  try {
    return database.prepare(sql).all() as T[]
  } finally {
    database.close()
  }
}

describe('migrate', () => {
  it('makes a private file with every migration and a history as Prisma writes it', () => {
    const count = migrate(path, migrationsFolder)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const rows = query<{ migration_name: string; checksum: string; finished_at: number }>('SELECT * FROM _prisma_migrations')
    expect(rows).toHaveLength(count)
    expect(rows[0]).toMatchObject({
      migration_name: '0001_init',
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      finished_at: expect.any(Number),
    })
    expect(migrate(path, migrationsFolder)).toBe(count)
    expect(query('SELECT * FROM _prisma_migrations')).toHaveLength(count)
  })

  it('applies what is new and keeps the data', () => {
    migrate(path, migrationsFolder)
    const database = new Database(path)
    database.exec(`INSERT INTO orgs (name, createdAt) VALUES ('kept', 't')`)
    database.close()
    migrate(path, migrationsWith({ '0900_more': 'CREATE TABLE "more" ("id" TEXT PRIMARY KEY);' }))
    expect(query('SELECT name FROM orgs')).toEqual([{ name: 'kept' }])
    expect(query('SELECT * FROM more')).toEqual([])
  })

  it('refuses a database that a newer program wrote, and leaves it as it is', () => {
    migrate(path, migrationsWith({ '0900_future': 'CREATE TABLE "future" ("id" TEXT PRIMARY KEY);' }))
    const before = readFileSync(path)
    expect(() => migrate(path, migrationsFolder)).toThrow(
      expect.objectContaining({ code: 'failed_precondition', reason: 'database_newer', message: expect.stringContaining('0900_future') }),
    )
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  it('leaves nothing of a migration that fails in the middle, and goes on once it is mended', () => {
    migrate(path, migrationsFolder)
    const broken = migrationsWith({ '0900_half': 'CREATE TABLE "half" ("id" TEXT PRIMARY KEY);\nINSERT INTO "nowhere" VALUES (1);' })
    expect(() => migrate(path, broken)).toThrow(
      expect.objectContaining({ reason: 'migration_failed', message: expect.stringContaining('0900_half') }),
    )
    expect(query(`SELECT name FROM sqlite_master WHERE name = 'half'`)).toEqual([])
    expect(migrate(path, migrationsWith({ '0900_half': 'CREATE TABLE "half" ("id" TEXT PRIMARY KEY);' }))).toBeGreaterThan(1)
    expect(query(`SELECT name FROM sqlite_master WHERE name = 'half'`)).toHaveLength(1)
  })

  it('explains a migration that another tool began and never ended', () => {
    migrate(path, migrationsFolder)
    const database = new Database(path)
    database.exec(`INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '0900_half')`)
    database.close()
    expect(() => migrate(path, migrationsFolder)).toThrow(expect.objectContaining({ reason: 'migration_interrupted' }))
  })

  it('refuses a history with another text than its own', () => {
    migrate(path, migrationsFolder)
    const database = new Database(path)
    database.exec(`UPDATE _prisma_migrations SET checksum = 'other'`)
    database.close()
    expect(() => migrate(path, migrationsFolder)).toThrow(expect.objectContaining({ reason: 'migration_edited' }))
  })

  it('says that a file is no database, or a damaged one, instead of using it', () => {
    writeFileSync(path, 'this is a text file, and long enough to be looked at as a header of a database file by anybody '.repeat(50))
    expect(() => migrate(path, migrationsFolder)).toThrow(
      expect.objectContaining({ code: 'failed_precondition', reason: 'database_damaged' }),
    )

    const damaged = join(folder.path, 'damaged.db')
    migrate(damaged, migrationsFolder)
    const database = new Database(damaged)
    const insert = database.prepare('INSERT INTO orgs (name, createdAt) VALUES (?, ?)')
    for (let index = 0; index < 2000; index++) insert.run(`org-${index}`, 'x'.repeat(100))
    database.pragma('wal_checkpoint(TRUNCATE)')
    database.close()
    const bytes = readFileSync(damaged)
    // The middle of the file, pages of the table and its index.
    bytes.fill(0xa5, bytes.length >> 1, (bytes.length >> 1) + 8192)
    writeFileSync(damaged, bytes)
    expect(() => migrate(damaged, migrationsFolder)).toThrow(
      expect.objectContaining({ reason: 'database_damaged', hint: expect.stringContaining('backup') }),
    )
  })

  it('says that the place cannot be written', () => {
    expect(() => migrate(join(folder.path, 'no/such/folder/mcpg.db'), migrationsFolder)).toThrow(/ENOENT/)
    mkdirSync(path)
    expect(() => migrate(path, migrationsFolder)).toThrow(/EISDIR/)
  })
})

describe('a full disk', () => {
  it('is told as such, loses nothing that was acknowledged, and writing goes on when there is space again', async () => {
    const db = await openDatabase({ engine: 'sqlite', path, migrationsFolder }, silent)
    const org = (name: string) => ({ name, displayName: 'x'.repeat(4000), createdAt: 't' })
    await db.write((tx) => tx.org.create({ data: org('first') }))
    // The engine's own limit answers exactly as a full disk does.
    const limit = async (pages: number) => db.write((tx) => tx.$queryRawUnsafe(`PRAGMA max_page_count = ${pages}`))
    await limit(1)
    const refused = db.write(async (tx) => {
      for (let index = 0; index < 50; index++) await tx.org.create({ data: org(`lost-${index}`) })
    })
    await expect(refused).rejects.toMatchObject({ code: 'unavailable', reason: 'disk_full' })
    await limit(1_000_000)
    await db.write((tx) => tx.org.create({ data: org('second') }))
    expect((await db.read.org.findMany({ select: { name: true } })).map(({ name }) => name).sort()).toEqual(['first', 'second'])
    await db.stop()
  })

  it.each([
    [{ code: 'SQLITE_FULL' }, 'disk_full'],
    [{ cause: { originalCode: 'SQLITE_IOERR_WRITE' } }, 'database_unreachable'],
    [{ cause: { cause: { message: 'database disk image is malformed' } } }, 'database_damaged'],
    [{ code: 'SQLITE_BUSY' }, 'database_busy'],
    [new Error('something else'), undefined],
  ])('%j is %s', (error, reason) => {
    expect(databaseFailure(error)?.reason).toBe(reason)
  })
})

describe('the stop', () => {
  it('leaves no WAL, and a late read does not open the file again', async () => {
    const db = await openDatabase({ engine: 'sqlite', path, migrationsFolder }, silent)
    for (let turn = 0; turn < 50; turn++) await db.write((tx) => tx.fact.create({ data: { key: `k-${turn}`, value: 'x'.repeat(10_000) } }))
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0)
    await db.stop()
    await expect(db.read.fact.count()).rejects.toThrow('its database is closed')
    expect(existsSync(`${path}-wal`)).toBe(false)
    expect(existsSync(`${path}-shm`)).toBe(false)
  })
})
