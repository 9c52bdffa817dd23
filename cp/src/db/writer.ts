// Entry of the writer thread: batches that would hold up every stream of the main thread for 100 ms and more when Prisma wrote them.
// It writes only while the main thread's queue gives it the turn, so a database never sees two writers.
import { parentPort, workerData } from 'node:worker_threads'
import type { BulkReply, BulkRequest } from './bulk.ts'
import type { BulkConnection } from './bulk-connection.ts'
import type { WriterTarget } from './engine.ts'
import { appendAudit, sealAudit } from './operations/audit.ts'
import { appendGatewayAudit } from './operations/gateway-audit.ts'
import { insertHolds, recordConfigs } from './operations/configs.ts'
import { writeReports } from './operations/reports.ts'
import { applyResources } from './operations/resources.ts'
import { startOperations } from './operations/start-operation.ts'

if (!parentPort) throw new Error('writer is the entry of a worker thread')
const port = parentPort
const connection = open(workerData as WriterTarget)

port.on('message', (request: BulkRequest | 'close') => void (request === 'close' ? close() : answer(request)))

async function answer(request: BulkRequest): Promise<void> {
  port.postMessage(
    await perform(await connection, request).then(
      (value): BulkReply => ({ ok: true, value }),
      (error: { code?: string; reason?: string; message?: string }): BulkReply => ({
        ok: false,
        code: error.code,
        message: error.message ?? String(error),
      }),
    ),
  )
}

/** Each in one transaction. */
async function perform(writes: BulkConnection, request: BulkRequest): Promise<unknown> {
  switch (request.op) {
    case 'applyResources':
      return await applyResources(writes, request.batch)
    case 'appendAudit':
      return await appendAudit(writes, request.rows)
    case 'sealAudit':
      return await sealAudit(writes, request.batch)
    case 'appendGatewayAudit':
      return await appendGatewayAudit(writes, request.batch)
    case 'recordConfigs':
      return await recordConfigs(writes, request.batch)
    case 'insertHolds':
      return await insertHolds(writes, request.rows)
    case 'writeReports':
      return await writeReports(writes, request.writes)
    case 'startOperations':
      return await startOperations(writes, request.starts)
  }
}

async function open(target: WriterTarget): Promise<BulkConnection> {
  // A control plane loads the driver of its own engine only.
  return target.engine === 'sqlite'
    ? (await import('./sqlite/bulk-connection.ts')).sqliteBulkConnection(target.path)
    : (await import('./postgresql/bulk-connection.ts')).postgresBulkConnection(target.target)
}

async function close(): Promise<void> {
  await (await connection).close()
  port.close()
}
