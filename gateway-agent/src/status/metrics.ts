import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { serverStates } from '@mcpg/proto/status'
import { version } from '@mcpg/proto/version'
import type { ConfigMachine } from '../config/machine.ts'
import type { LinkState } from '../link/link.ts'
import type { Servers } from '../servers/supervision.ts'
import { readiness } from './health.ts'

/** The registry behind `/metrics`; values are read when somebody asks. Other rooms may add theirs to it. */
export function gatewayMetrics({
  config,
  servers,
  link,
  activeSessions,
  audit,
}: {
  config: ConfigMachine
  servers: Servers
  link: { state(): LinkState }
  activeSessions: () => number
  audit: () => { waiting: number; dropped: number }
}): Registry {
  const register = new Registry()
  collectDefaultMetrics({ register })
  const gauge = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [register],
      collect() {
        collect(this)
      },
    })

  gauge('mcpg_gateway_info', 'Version of the gateway agent', ['version'], (info) => info.set({ version }, 1))
  gauge('mcpg_gateway_ready', '1 when a verified config runs and every required server is ready', [], (ready) =>
    ready.set(readiness({ config, servers }).length === 0 ? 1 : 0),
  )
  gauge('mcpg_gateway_control_plane_connected', '1 while the stream to the control plane stands', [], (connected) =>
    connected.set(link.state().phase === 'connected' ? 1 : 0),
  )
  gauge('mcpg_gateway_config_generation', 'Generation of the config: applied, lkg, highest staged', ['which'], (generation) => {
    for (const [which, value] of Object.entries(config.generations())) generation.set({ which }, value)
  })
  gauge('mcpg_gateway_servers', 'Servers by state', ['state'], (count) => {
    const reports = servers.report()
    for (const state of serverStates) count.set({ state }, reports.filter((report) => report.state === state).length)
  })
  gauge('mcpg_gateway_server_restarts', 'Restarts of the instances of a server since the agent started', ['server'], (restarts) => {
    restarts.reset()
    for (const report of servers.report()) restarts.set({ server: report.name }, report.restartCount)
  })
  gauge('mcpg_gateway_sessions', 'Open client sessions', [], (sessions) => sessions.set(activeSessions()))
  gauge('mcpg_gateway_audit_waiting', 'Audit events that the control plane does not have yet', [], (waiting) =>
    waiting.set(audit().waiting),
  )
  gauge('mcpg_gateway_audit_dropped', 'Audit events that were dropped because the queue was full', [], (dropped) =>
    dropped.set(audit().dropped),
  )
  return register
}

/** How long heartbeats wait for their answers: what else is on the stream must not hold them up. */
export function heartbeatMetric(): { observe: (afterMs: number) => void; register: (registry: Registry) => void } {
  const histogram = new Histogram({
    name: 'mcpg_gateway_heartbeat_seconds',
    help: 'From a heartbeat that is due to its acknowledgement',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    registers: [],
  })
  return { observe: (afterMs) => histogram.observe(afterMs / 1000), register: (registry) => registry.registerMetric(histogram) }
}
