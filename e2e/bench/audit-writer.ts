// The control plane's database in a process of its own, fed with audit rows at a steady rate through the same door the programs use.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createLog } from '@mcpg/core/log'
import { openDatabase, type AuditRow } from '../../cp/src/db/db.ts'
import { answerAsks } from './peer.ts'
import { percentile } from './percentile.ts'
import type { AuditRound } from './loop.ts'

const batchesPerSecond = 10
const folder = mkdtempSync(join(tmpdir(), 'mcpg-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const silent = createLog({ level: 'silent', json: true })
const migrationsFolder = new URL('../../cp/prisma/sqlite/migrations', import.meta.url).pathname
const db = await openDatabase({ engine: 'sqlite', path: join(folder, 'mcpg.db'), migrationsFolder }, silent)

answerAsks({ append, close: () => db.stop() })

async function append({ seconds, rowsPerSecond }: { seconds: number; rowsPerSecond: number }): Promise<AuditRound> {
  const size = Math.round(rowsPerSecond / batchesPerSecond)
  const waits: number[] = []
  // The histogram's percentiles count a stall once, however long; these samples weigh it by its length.
  let last = performance.now()
  const sampler = setInterval(() => {
    const now = performance.now()
    waits.push(Math.max(0, now - last - 1))
    last = now
  }, 1)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const started = performance.now()
  const open: Promise<void>[] = []
  for (let batch = 0; batch < seconds * batchesPerSecond; batch++) {
    const due = started + (batch * 1000) / batchesPerSecond
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
    open.push(db.appendAudit(Array.from({ length: size }, (_, index) => row(index))))
  }
  await Promise.all(open)
  const elapsed = (performance.now() - started) / 1000
  delay.disable()
  clearInterval(sampler)
  return {
    rowsPerSecond: (size * seconds * batchesPerSecond) / elapsed,
    p99Ms: percentile(waits, 0.99),
    maxMs: Math.max(delay.max / 1e6, ...waits),
  }
}

/** About 400 bytes, as an audit row of an apply is. */
function row(index: number): AuditRow {
  return {
    id: randomUUID(),
    at: new Date().toISOString(),
    org: 'default',
    workspace: 'default',
    actor: 'local',
    actorKind: 'local',
    action: 'server.update',
    kind: 'Server',
    name: `server-${index}`,
    uid: randomUUID(),
    source: '127.0.0.1',
    requestId: randomUUID(),
    detail: JSON.stringify({ paths: ['/spec/env/0/value', '/spec/command/1', '/metadata/labels/role'] }),
    impersonator: null,
    beforeDigest: null,
    afterDigest: null,
  }
}
