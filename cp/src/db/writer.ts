// Entry of the writer thread: batches that would hold up every stream of the main thread for 100 ms and more when Prisma wrote them.
// It writes only while the main thread's queue gives it the turn, so SQLite never sees two writers.
import Database from 'better-sqlite3'
import { parentPort, workerData } from 'node:worker_threads'
import type { AuditRow, BatchOutcome, BulkReply, BulkRequest, ResourceBatch, ResourceChange } from './bulk.ts'
import { configWriter } from './config-writer.ts'
import { reportWriter } from './report-writer.ts'

if (!parentPort) throw new Error('writer is the entry of a worker thread')
const port = parentPort
const database = new Database((workerData as { path: string }).path, { timeout: 5_000 })
const configs = configWriter(database)
const writeReports = reportWriter(database)

const auditColumns = [
  'id',
  'at',
  'org',
  'workspace',
  'actor',
  'actorKind',
  'action',
  'kind',
  'name',
  'uid',
  'source',
  'requestId',
  'detail',
]
const insertAudit = database.prepare(
  `INSERT INTO audit (${auditColumns.join(', ')}) VALUES (${auditColumns.map((name) => `@${name}`).join(', ')})`,
)
const findVersion = database.prepare('SELECT uid, resourceVersion FROM resources WHERE scope = ? AND kind = ? AND name = ?')
const addScope = database.prepare('INSERT INTO scopes (scope, changeSeq) VALUES (?, 0) ON CONFLICT (scope) DO NOTHING')
const nextSeq = database.prepare('UPDATE scopes SET changeSeq = changeSeq + 1 WHERE scope = ? RETURNING changeSeq').pluck()
const insertResource = database.prepare(
  `INSERT INTO resources (uid, scope, kind, name, spec, specVersion, labels, annotations, digest, generation, resourceVersion, createdAt, updatedAt)
   VALUES (@uid, @scope, @kind, @name, @spec, @specVersion, @labels, @annotations, @digest, @generation, @resourceVersion, @createdAt, @updatedAt)`,
)
const updateResource = database.prepare(
  `UPDATE resources SET spec = @spec, specVersion = @specVersion, labels = @labels, annotations = @annotations, digest = @digest,
   generation = @generation, resourceVersion = @resourceVersion, updatedAt = @updatedAt WHERE uid = @uid`,
)
const deleteResource = database.prepare('DELETE FROM resources WHERE uid = ?')
const deleteLabels = database.prepare('DELETE FROM resource_labels WHERE uid = ?')
const insertLabel = database.prepare('INSERT INTO resource_labels (uid, key, value) VALUES (?, ?, ?)')
const deleteRefs = database.prepare('DELETE FROM resource_refs WHERE uid = ?')
const insertRef = database.prepare('INSERT INTO resource_refs (uid, scope, kind, name, pointer) VALUES (?, ?, ?, ?, ?)')
const findReferrers = database.prepare(
  `SELECT r.kind, r.name, f.pointer FROM resource_refs f JOIN resources r ON r.uid = f.uid WHERE f.scope = ? AND f.kind = ? AND f.name = ? LIMIT 10`,
)
const deleteControls = database.prepare('DELETE FROM server_controls WHERE serverUid = ?')
const deleteHolds = database.prepare('DELETE FROM server_holds WHERE serverUid = ?')
const insertChange = database.prepare('INSERT INTO changes (scope, seq, type, kind, name, object, at) VALUES (?, ?, ?, ?, ?, ?, ?)')

/** Thrown to roll a transaction back with an answer. */
class Refused extends Error {
  readonly answer: BatchOutcome
  constructor(answer: BatchOutcome) {
    super(answer.outcome)
    this.answer = answer
  }
}

const applyInTransaction = database.transaction(({ scope, at, changes }: ResourceBatch): number[] => {
  addScope.run(scope)
  const versions = changes.map((change) => {
    refuseStale(scope, change)
    const seq = nextSeq.get(scope) as number
    write(scope, change, seq)
    insertChange.run(scope, seq, change.type, change.row.kind, change.row.name, change.object, at)
    insertAudit.run(change.audit)
    return seq
  })
  refuseBrokenReferences(scope, changes)
  return versions
})

const appendInTransaction = database.transaction((rows: AuditRow[]): number => {
  for (const row of rows) insertAudit.run(row)
  return rows.length
})

port.on('message', (request: BulkRequest | 'close') => {
  if (request === 'close') {
    database.close()
    port.close()
    return
  }
  port.postMessage(answer(request))
})

function answer(request: BulkRequest): BulkReply {
  try {
    return { ok: true, value: perform(request) }
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string }
    return { ok: false, code, message: message ?? String(error) }
  }
}

function perform(request: BulkRequest): unknown {
  switch (request.op) {
    case 'applyResources':
      return applyResources(request.batch)
    case 'appendAudit':
      return appendInTransaction.immediate(request.rows)
    case 'recordConfigs':
      return configs.record(request.batch)
    case 'insertHolds':
      return configs.insertHolds(request.rows)
    case 'writeReports':
      return writeReports(request.writes)
  }
}

function applyResources(batch: ResourceBatch): BatchOutcome {
  try {
    return { outcome: 'committed', versions: applyInTransaction.immediate(batch) }
  } catch (error) {
    if (error instanceof Refused) return error.answer
    throw error
  }
}

function refuseStale(scope: string, { was, row }: ResourceChange): void {
  const now = findVersion.get(scope, row.kind, row.name) as { uid: string; resourceVersion: number } | undefined
  if ((now?.resourceVersion ?? null) !== was || (now && now.uid !== row.uid))
    throw new Refused({ outcome: 'stale', kind: row.kind, name: row.name })
}

function write(scope: string, { type, row, labels, refs }: ResourceChange, resourceVersion: number): void {
  if (type === 'ADDED') insertResource.run({ ...row, scope, resourceVersion })
  else if (type === 'MODIFIED') updateResource.run({ ...row, resourceVersion })
  else {
    deleteResource.run(row.uid)
    // What only a Server has; no other uid is found there.
    deleteControls.run(row.uid)
    deleteHolds.run(row.uid)
  }
  if (type !== 'ADDED') {
    deleteLabels.run(row.uid)
    deleteRefs.run(row.uid)
  }
  if (type === 'DELETED') return
  for (const [key, value] of labels) insertLabel.run(row.uid, key, value)
  for (const ref of refs) insertRef.run(row.uid, scope, ref.kind, ref.name, ref.pointer)
}

/** After everything is written, so that objects of one batch may refer to each other in any order. */
function refuseBrokenReferences(scope: string, changes: ResourceChange[]): void {
  const missing = changes.flatMap(({ type, refs }, index) =>
    type === 'DELETED'
      ? []
      : refs
          .filter((ref) => findVersion.get(scope, ref.kind, ref.name) === undefined)
          .map((ref) => ({ index, pointer: ref.pointer, detail: `there is no ${ref.kind} ${ref.name}` })),
  )
  if (missing.length > 0) throw new Refused({ outcome: 'refused', reason: 'reference_missing', violations: missing })
  const referenced = changes.flatMap(({ type, row }, index) =>
    type === 'DELETED'
      ? (findReferrers.all(scope, row.kind, row.name) as { kind: string; name: string; pointer: string }[]).map((referrer) => ({
          index,
          pointer: referrer.pointer,
          detail: `${row.kind} ${row.name} is used by ${referrer.kind} ${referrer.name}`,
        }))
      : [],
  )
  if (referenced.length > 0) throw new Refused({ outcome: 'refused', reason: 'still_referenced', violations: referenced })
}
