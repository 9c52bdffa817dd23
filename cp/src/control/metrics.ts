import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Part } from '@mcpg/core/lifecycle'

export type Metrics = Part & { registry: Registry }

/** Prometheus figures of this process; rooms add theirs to `registry`. */
export function metricsOf({ gateways }: { gateways: () => Promise<{ total: number; online: number }> }): Metrics {
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
  registry.registerMetric(connected)
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
