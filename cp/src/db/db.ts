import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { statSync } from 'node:fs'
import type { Part } from '@mcpg/core/lifecycle'
import type { AuditRow, BatchOutcome, ConfigBatch, HoldRow, ReportWrite, ResourceBatch } from './bulk.ts'
import { bulkWriter } from './bulk-writer.ts'
import { closedMessage, databaseFailure } from './failures.ts'
import { Prisma, PrismaClient } from './generated/sqlite/client.ts'
import { migrate } from './migrate.ts'
import { writeQueue } from './write-queue.ts'

export { databaseFailure }
export type {
  AssignmentRow,
  AuditRow,
  BatchOutcome,
  ConfigBatch,
  EventRow,
  GatewayColumns,
  HoldRow,
  ReportWrite,
  ResourceBatch,
  ResourceChange,
  ResourceRow,
} from './bulk.ts'

/** A transaction of `db.write`: inside it only the database is awaited, no network, no file, no crypto over 1 ms. */
export type Tx = Prisma.TransactionClient

/** Parts of a statement whose values are always parameters; for `read.$queryRaw`. */
export const sql = Prisma.sql
export const joinSql = Prisma.join
export type Sql = Prisma.Sql

type ReadMethod = 'findUnique' | 'findFirst' | 'findMany' | 'count' | 'aggregate' | 'groupBy'
type Model = Exclude<keyof PrismaClient, `$${string}` | symbol>
/** The client without its writes; the connection behind it is opened read-only too. */
export type Reads = { [Name in Model]: Pick<PrismaClient[Name], Extract<ReadMethod, keyof PrismaClient[Name]>> } & Pick<
  PrismaClient,
  '$queryRaw'
>

export type DatabaseSettings = { path: string; migrationsFolder: string }

export type Db = Part & {
  /** Committed state as of now, on a connection of its own; never sees a row of an open `write`. */
  read: Reads
  /** One consistent view for several reads, on another connection, so that `read` stays current meanwhile. */
  snapshot<T>(work: (reads: Reads) => Promise<T>): Promise<T>
  /**
   * The one door for writes: one transaction at a time, rolled back when `work` throws. At most 1,000 wait (then `database_busy`,
   * 503 with Retry-After); a transaction ends after 30 s. Not to be called inside itself.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /**
   * The same door for batches, written by a thread of its own. `committed` runs in the turn of the batch, so that what it publishes
   * keeps the order of the commits.
   */
  applyResources(batch: ResourceBatch, committed?: (versions: number[]) => void): Promise<BatchOutcome>
  appendAudit(rows: AuditRow[]): Promise<void>
  recordConfigs(batch: ConfigBatch): Promise<void>
  insertHolds(rows: HoldRow[]): Promise<void>
  /** At most some hundred rows at once: whoever waits for the door waits for all of them. */
  writeReports(writes: ReportWrite[]): Promise<void>
  facts(): { sizeBytes: number; migrations: number }
}

const limits = { waiting: 1_000, maxWaitMs: 30_000, timeoutMs: 30_000 }

/** Migrates and opens. Throws McpgError for a file that is damaged, newer than the program, or not writable. */
export async function openDatabase({ path, migrationsFolder }: DatabaseSettings): Promise<Db> {
  const migrations = migrate(path, migrationsFolder)
  let isClosed = false
  const writer = client(path, false, () => isClosed)
  const reader = client(path, true, () => isClosed)
  const snapshots = client(path, true, () => isClosed)
  const bulk = await bulkWriter(path)
  const queue = writeQueue({ limit: limits.waiting, maxWaitMs: limits.maxWaitMs })
  let stopped: Promise<void> | undefined

  return {
    name: 'database',
    read: reader,
    snapshot: (work) => told(() => snapshots.$transaction((tx) => work(tx as unknown as Reads), transactionOptions)),
    write: (work) => queue.run(() => told(() => withDeadline(writer.$transaction(work, transactionOptions)))),
    applyResources: (batch, committed) =>
      queue.run(async () => {
        const outcome = await told(() => toBulk(() => bulk.applyResources(batch)))
        if (outcome.outcome === 'committed') committed?.(outcome.versions)
        return outcome
      }),
    appendAudit: (rows) => inBulk(async () => void (await bulk.appendAudit(rows))),
    recordConfigs: (batch) => inBulk(() => bulk.recordConfigs(batch)),
    insertHolds: (rows) => inBulk(() => bulk.insertHolds(rows)),
    writeReports: (writes) => inBulk(() => bulk.writeReports(writes)),
    facts: () => ({ sizeBytes: sizeOf(path) + sizeOf(`${path}-wal`), migrations }),
    async start(fail) {
      bulk.watch(fail)
    },
    stop: () => (stopped ??= close()),
  }

  function inBulk<T>(work: () => Promise<T>): Promise<T> {
    return queue.run(() => told(() => toBulk(work)))
  }

  async function toBulk<T>(work: () => Promise<T>): Promise<T> {
    if (isClosed) throw new Error(closedMessage)
    return await work()
  }

  async function close(): Promise<void> {
    await queue.idle()
    isClosed = true
    // The writer closes last: it empties the WAL into the file, which a reader cannot.
    await Promise.all([bulk.close(), reader.$disconnect(), snapshots.$disconnect()])
    await writer.$queryRawUnsafe('PRAGMA wal_checkpoint(TRUNCATE)').catch(() => {}) // never opened, or the disk is full
    await writer.$disconnect()
  }
}

const transactionOptions = { maxWait: limits.maxWaitMs, timeout: limits.timeoutMs }

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

/** Prisma ends the transaction at its timeout but waits for the work itself for ever, and the queue with it. */
async function withDeadline<T>(transaction: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a write transaction did not end')), limits.timeoutMs + 1_000)
  })
  return Promise.race([transaction, late]).finally(() => clearTimeout(timer))
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw databaseFailure(error) ?? error
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
