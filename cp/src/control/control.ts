import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { AuthMode } from '@mcpg/proto/rest/auth'
import type { ControlStatus } from '@mcpg/proto/rest/control'
import { McpgError } from '@mcpg/proto/errors'
import { version } from '@mcpg/proto/version'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db } from '../db/db.ts'

export type Endpoints = { http: string; grpc: string; console: string }
export type Control = {
  status: () => Promise<ControlStatus>
  /** Throws unavailable while the database cannot be read. */
  ready: () => Promise<void>
  /** Ends the process in order, after the answer has left. */
  requestStop: (caller: Caller) => Promise<void>
  stopRequested: AbortSignal
  endpoints: () => Endpoints
}

/** The process itself: what it is, whether it works, and its end. */
export function controlService({
  db,
  audit,
  clock,
  log,
  authMode,
  endpoints,
  gateways,
}: {
  db: Db
  audit: Audit
  clock: Clock
  log: Log
  authMode: AuthMode
  endpoints: () => Endpoints
  gateways: () => Promise<{ total: number; online: number }>
}): Control {
  const startedAt = clock.now()
  const stopping = new AbortController()
  return { status, ready, requestStop, stopRequested: stopping.signal, endpoints }

  async function status(): Promise<ControlStatus> {
    const facts = await db.facts()
    const { read } = db
    const [servers, changes, auditRows, enrollments, assignments, configs] = await Promise.all([
      read.resource.count({ where: { kind: 'Server' } }),
      read.change.count(),
      read.audit.count(),
      read.enrollment.count(),
      read.assignment.count(),
      read.config.count(),
    ])
    const counted = await gateways()
    return {
      version,
      pid: process.pid,
      startedAt: new Date(startedAt).toISOString(),
      uptimeSeconds: Math.round((clock.now() - startedAt) / 1000),
      authMode,
      endpoints: endpoints(),
      database: {
        ...facts,
        rows: {
          resources: await read.resource.count(),
          changes,
          audit: auditRows,
          enrollments,
          gateways: counted.total,
          assignments,
          configs,
        },
      },
      gateways: counted,
      servers,
    }
  }

  async function ready(): Promise<void> {
    try {
      db.assertWritable()
      await db.read.$queryRaw`SELECT 1`
    } catch (error) {
      throw new McpgError('unavailable', 'database_unreachable', 'The database cannot be read.', { cause: error, retryAfterSeconds: 5 })
    }
  }

  async function requestStop(caller: Caller): Promise<void> {
    await db.write((tx) => audit.record(tx, caller, 'control.stop', { kind: 'ControlPlane', name: 'control-plane' }))
    log.info({ requestId: caller.requestId }, 'stop asked for by REST')
    setTimeout(() => stopping.abort(), 50)
  }
}
