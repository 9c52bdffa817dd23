import type { Log } from '@mcpg/core/log'
import type { Part } from '@mcpg/core/lifecycle'
import type {
  AuditRow,
  BatchOutcome,
  ConfigBatch,
  GatewayAuditBatch,
  HoldRow,
  OperationStart,
  ReportWrite,
  ResourceBatch,
  SealBatch,
  StartOutcome,
} from './bulk.ts'
import { bulkWriter } from './bulk-writer.ts'
import type { Reads, Tx } from './client.ts'
import { transactionLimits, type DatabaseFacts, type Engine } from './engine.ts'
import { databaseFailure } from './failures.ts'
import type { DatabaseSettings } from './settings.ts'
import { startsTogether } from './starts-together.ts'
import { writeQueue } from './write-queue.ts'

export { joinSql, sql, type Reads, type Sql, type Tx } from './client.ts'
export { databaseFailure }
export type { DatabaseFacts } from './engine.ts'
export type {
  AssignmentRow,
  AuditRow,
  BatchOutcome,
  ConfigBatch,
  EventRow,
  GatewayColumns,
  HoldRow,
  KeptAnswer,
  ReportWrite,
  ResourceBatch,
  ResourceChange,
  ResourceRow,
  GatewayAuditBatch,
  GatewayAuditRow,
  GatewayAuditRun,
  OperationStart,
  SealBatch,
  SecretValueRow,
  StartOutcome,
} from './bulk.ts'

export type Db = Part & {
  /** Committed state as of now, on connections of its own that cannot write; never sees a row of an open `write`. */
  read: Reads
  /** One consistent view for several reads, on another connection, so that `read` stays current meanwhile. */
  snapshot<T>(work: (reads: Reads) => Promise<T>): Promise<T>
  /**
   * The one door for writes: one transaction at a time, rolled back when `work` throws. At most 1,000 wait (then `database_busy`,
   * 503 with Retry-After); a transaction ends after 30 s. Not to be called inside itself. PostgreSQL ends a transaction at its first
   * failed statement, so `work` may not catch one and go on.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /**
   * The same door for batches, written by a thread of its own. `committed` runs in the turn of the batch, so that what it publishes
   * keeps the order of the commits.
   */
  applyResources(batch: ResourceBatch, committed?: (versions: number[]) => void): Promise<BatchOutcome>
  appendAudit(rows: AuditRow[]): Promise<void>
  sealAudit(batch: SealBatch): Promise<void>
  appendGatewayAudit(batch: GatewayAuditBatch): Promise<void>
  recordConfigs(batch: ConfigBatch): Promise<void>
  insertHolds(rows: HoldRow[]): Promise<void>
  /** At most some hundred rows at once: whoever waits for the door waits for all of them. */
  writeReports(writes: ReportWrite[]): Promise<void>
  /** Those that wait for the door at the same time are written together; each has its own outcome. */
  startOperation(start: OperationStart): Promise<StartOutcome>
  facts(): Promise<DatabaseFacts>
  /** Throws unavailable while nothing can be written, before anything is tried. */
  assertWritable(): void
}

const mostWaiting = 1_000

/** Migrates and opens. Throws McpgError for a database that is damaged, newer than the program, in use, out of reach or not writable. */
export async function openDatabase(settings: DatabaseSettings, log: Pick<Log, 'info' | 'warn'>): Promise<Db> {
  const engine = await openEngine(settings, log)
  const bulk = await bulkWriter(engine.writer)
  const queue = writeQueue({ limit: mostWaiting, maxWaitMs: transactionLimits.maxWaitMs })
  let stopped: Promise<void> | undefined

  return {
    name: 'database',
    read: engine.reads,
    snapshot: (work) => told(() => engine.snapshot(work)),
    // Its commit takes a while on PostgreSQL; what `work` started and did not wait for may write after it.
    write: (work) => inTurn((left) => withDeadline(engine.transaction((tx) => work(tx).finally(left)))),
    applyResources: (batch, committed) =>
      inTurn(async () => {
        const outcome = await bulk.applyResources(batch)
        if (outcome.outcome === 'committed') committed?.(outcome.versions)
        return outcome
      }),
    appendAudit: (rows) => inTurn(async () => void (await bulk.appendAudit(rows))),
    sealAudit: (batch) => inTurn(() => bulk.sealAudit(batch)),
    appendGatewayAudit: (batch) => inTurn(() => bulk.appendGatewayAudit(batch)),
    recordConfigs: (batch) => inTurn(() => bulk.recordConfigs(batch)),
    insertHolds: (rows) => inTurn(() => bulk.insertHolds(rows)),
    writeReports: (writes) => inTurn(() => bulk.writeReports(writes)),
    startOperation: startsTogether({ inTurn, write: bulk.startOperations }),
    facts: () => told(() => engine.facts()),
    assertWritable: () => engine.assertWritable(),
    async start(fail) {
      bulk.watch(fail)
      engine.watch(fail)
    },
    stop: () => (stopped ??= close()),
  }

  function inTurn<T>(work: (left: () => void) => Promise<T>): Promise<T> {
    return queue.run((left) =>
      told(async () => {
        engine.assertWritable()
        return await work(left)
      }),
    )
  }

  async function close(): Promise<void> {
    await queue.idle()
    await bulk.close()
    await engine.close()
  }
}

async function openEngine(settings: DatabaseSettings, log: Pick<Log, 'info' | 'warn'>): Promise<Engine> {
  // Each engine brings its driver and its client; a start loads one of them.
  if (settings.engine === 'sqlite') return (await import('./sqlite/engine.ts')).openSqlite(settings)
  return await (await import('./postgresql/engine.ts')).openPostgres({ ...settings, log })
}

/** Prisma ends the transaction at its timeout but waits for the work itself for ever, and the queue with it. */
async function withDeadline<T>(transaction: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a write transaction did not end')), transactionLimits.timeoutMs + 1_000)
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
