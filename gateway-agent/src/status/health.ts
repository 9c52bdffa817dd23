import type { VerifiedConfig } from '../config/verify.ts'
import type { Servers } from '../servers/supervision.ts'

export type Waiting = { server: string; reason: string }

/**
 * What the gateway still waits for before it is ready: a verified config, and every required server of it that shall run. Never tied to
 * the control plane. An empty list is ready.
 */
export function readiness({
  config,
  servers,
}: {
  config: { running(): VerifiedConfig | null }
  servers: Pick<Servers, 'report'>
}): Waiting[] {
  const running = config.running()
  if (!running) return [{ server: '', reason: 'NoConfig' }]
  const reports = new Map(servers.report().map((report) => [report.name, report]))
  return running.servers.flatMap(({ config: server }) => {
    if (!server.required || server.state === 'stopped') return []
    const report = reports.get(server.name)
    if (report?.state === 'ready' || report?.state === 'stopped') return []
    const reason = report?.instances.find((instance) => instance.reason && !instance.belongsTo)?.reason ?? report?.state ?? 'missing'
    return [{ server: server.name, reason }]
  })
}
