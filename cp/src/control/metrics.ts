import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Part } from '@mcpg/core/lifecycle'
import type { Db } from '../db/db.ts'

export type Metrics = Part & { registry: Registry }

/** Prometheus figures of this process; rooms add theirs to `registry`. */
export function metricsOf({
  gateways,
  database,
}: {
  gateways: () => Promise<{ total: number; online: number }>
  database: Pick<Db, 'facts' | 'assertWritable'>
}): Metrics {
  const registry = new Registry()
  const connected = new Gauge({
    name: 'mcpg_gateways',
    help: 'Gateways by whether they are connected',
    labelNames: ['connected'],
    registers: [],
    async collect() {
      const { total, online } = await gateways()
      this.set({ connected: 'true' }, online)
      this.set({ connected: 'false' }, total - online)
    },
  })
  const writable = new Gauge({
    name: 'mcpg_database_writable',
    help: 'Whether the database can be written, 1 or 0',
    registers: [],
    collect() {
      this.set(isWritable(database) ? 1 : 0)
    },
  })
  const size = new Gauge({
    name: 'mcpg_database_size_bytes',
    help: 'Size of the database by its engine; absent while it does not answer',
    labelNames: ['engine'],
    registers: [],
    async collect() {
      this.reset()
      const facts = await database.facts().catch(() => null)
      if (facts) this.set({ engine: facts.engine }, facts.sizeBytes)
    },
  })
  for (const gauge of [connected, writable, size]) registry.registerMetric(gauge)
  return {
    name: 'metrics',
    registry,
    // Observers of the process, which a test that only builds the app does not need.
    async start() {
      collectDefaultMetrics({ register: registry })
    },
    async stop() {
      registry.clear()
    },
  }
}

function isWritable(database: Pick<Db, 'assertWritable'>): boolean {
  try {
    database.assertWritable()
    return true
  } catch {
    return false
  }
}
