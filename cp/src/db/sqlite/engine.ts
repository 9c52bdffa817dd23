import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import Database from 'better-sqlite3'
import { statSync } from 'node:fs'
import type { Reads, Tx } from '../client.ts'
import { transactionLimits, type Engine } from '../engine.ts'
import { closedMessage } from '../failures.ts'
import { PrismaClient } from '../generated/sqlite/client.ts'
import { migrate } from './migrate.ts'

/** Migrates and opens the file: one connection that writes, and two that only read, of which one is for snapshots. */
export function openSqlite({ path, migrationsFolder }: { path: string; migrationsFolder: string }): Engine {
  const migrations = migrate(path, migrationsFolder)
  let isClosed = false
  const writer = client(path, false, () => isClosed)
  const reader = client(path, true, () => isClosed)
  const snapshots = client(path, true, () => isClosed)
  const options = { maxWait: transactionLimits.maxWaitMs, timeout: transactionLimits.timeoutMs }
  return {
    reads: reader,
    snapshot: (work) => snapshots.$transaction((tx) => work(tx as unknown as Reads), options),
    transaction: (work: (tx: Tx) => Promise<unknown>) => writer.$transaction(work, options) as Promise<never>,
    writer: { engine: 'sqlite', path },
    facts: async () => ({
      engine: 'sqlite',
      version: sqliteVersion(),
      address: path,
      sizeBytes: sizeOf(path) + sizeOf(`${path}-wal`),
      migrations,
    }),
    assertWritable() {
      if (isClosed) throw new Error(closedMessage)
    },
    watch() {},
    async close() {
      isClosed = true
      // The writer closes last: it empties the WAL into the file, which a reader cannot.
      await Promise.all([reader.$disconnect(), snapshots.$disconnect()])
      await writer.$queryRawUnsafe('PRAGMA wal_checkpoint(TRUNCATE)').catch(() => {}) // never opened, or the disk is full
      await writer.$disconnect()
    },
  }
}

function client(path: string, readonly: boolean, isClosed: () => boolean): PrismaClient {
  const adapter = new PrismaBetterSqlite3({ url: path, readonly, timeout: 5_000 })
  const connect = adapter.connect.bind(adapter)
  // Prisma connects again at the next query; after the stop that would leave a connection, and a WAL, that nobody closes.
  adapter.connect = async () => {
    if (isClosed()) throw new Error(closedMessage)
    return await connect()
  }
  return new PrismaClient({ adapter, errorFormat: 'minimal' })
}

let version: string | undefined
function sqliteVersion(): string {
  if (version) return version
  const database = new Database(':memory:')
  version = database.prepare('SELECT sqlite_version()').pluck().get() as string
  database.close()
  return version
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
