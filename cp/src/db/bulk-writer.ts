import { Worker } from 'node:worker_threads'
import type {
  AuditRow,
  BatchOutcome,
  BulkReply,
  BulkRequest,
  ConfigBatch,
  GatewayAuditBatch,
  HoldRow,
  OperationStart,
  ReportWrite,
  ResourceBatch,
  SealBatch,
  StartOutcome,
} from './bulk.ts'
import type { WriterTarget } from './engine.ts'

/** The writer thread as functions. The caller's queue sees to it that one request is open at a time. */
export async function bulkWriter(target: WriterTarget) {
  // Beside this file as a source, beside the bundle as an entry of its own.
  const entry = new URL(import.meta.url.endsWith('.ts') ? './writer.ts' : './writer.js', import.meta.url)
  const worker = new Worker(entry, { workerData: target, name: 'mcpg-writer' })
  let open: { resolve: (value: unknown) => void; reject: (error: unknown) => void } | null = null
  let failure: unknown = null
  let onFailure = (_error: unknown) => {}
  worker.on('message', (reply: BulkReply) => {
    const request = open
    open = null
    if (reply.ok) request?.resolve(reply.value)
    else request?.reject(Object.assign(new Error(reply.message), { code: reply.code }))
  })
  worker.on('error', died)
  worker.on('exit', () => died(new Error('the writer thread has ended')))
  await new Promise<void>((resolve, reject) => {
    worker.once('online', resolve)
    worker.once('error', reject)
  })
  // An idle thread keeps no process alive; a request does, by its answer being awaited on a referenced port.
  worker.unref()

  return {
    applyResources: (batch: ResourceBatch) => request<BatchOutcome>({ op: 'applyResources', batch }),
    appendAudit: (rows: AuditRow[]) => request<number>({ op: 'appendAudit', rows }),
    sealAudit: (batch: SealBatch) => request<void>({ op: 'sealAudit', batch }),
    appendGatewayAudit: (batch: GatewayAuditBatch) => request<void>({ op: 'appendGatewayAudit', batch }),
    recordConfigs: (batch: ConfigBatch) => request<void>({ op: 'recordConfigs', batch }),
    insertHolds: (rows: HoldRow[]) => request<void>({ op: 'insertHolds', rows }),
    writeReports: (writes: ReportWrite[]) => request<void>({ op: 'writeReports', writes }),
    startOperations: (starts: OperationStart[]) => request<StartOutcome[]>({ op: 'startOperations', starts }),
    /** Told when the thread dies by itself. */
    watch(listener: (error: unknown) => void) {
      onFailure = listener
      if (failure) listener(failure)
    },
    async close(): Promise<void> {
      onFailure = () => {}
      if (failure) return
      const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
      worker.ref()
      worker.postMessage('close')
      await ended
    },
  }

  function request<T>(message: BulkRequest): Promise<T> {
    if (failure) return Promise.reject(failure)
    worker.ref()
    return new Promise<T>((resolve, reject) => {
      open = { resolve: resolve as (value: unknown) => void, reject }
      worker.postMessage(message)
    }).finally(() => worker.unref())
  }

  function died(error: unknown): void {
    failure ??= error
    open?.reject(failure)
    open = null
    onFailure(failure)
  }
}
