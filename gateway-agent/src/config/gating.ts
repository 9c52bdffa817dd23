import type { DesiredServer, ServerFailure, ServerReport } from '../servers/supervision.ts'
import type { VerifiedConfig } from './verify.ts'

/**
 * The servers whose failure fails a config: new or changed against the last known good one, wanted running, and required. Everything
 * else is reported only.
 */
export function gatingServers(next: VerifiedConfig, lkg: VerifiedConfig | null): DesiredServer[] {
  const known = new Map(lkg?.servers.map((server) => [server.config.name, server.subHash]))
  return next.servers.filter(({ config, subHash }) => config.required && config.state === 'running' && known.get(config.name) !== subHash)
}

/** A superseded config that may still become the last known good one: its instances keep the time they have been ready. */
export type Contender = { config: VerifiedConfig; gating: DesiredServer[]; probationMs: number }

/**
 * `passed` when every gating server of the contender has been ready for its probation, `lost` when one of them runs another revision by
 * now, else the milliseconds until it is worth looking again.
 */
export function standing({ gating, probationMs }: Contender, reports: ServerReport[], now: number): 'passed' | 'lost' | number {
  let wait = 0
  for (const { config, subHash } of gating) {
    const report = reports.find((one) => one.name === config.name)
    if (report?.subHash !== subHash) return 'lost'
    if (report.state !== 'ready') return probationMs
    for (const { readyTime = now, belongsTo } of report.instances)
      if (belongsTo === undefined) wait = Math.max(wait, readyTime + probationMs - now)
  }
  return wait > 0 ? wait : 'passed'
}

/** True while every gating server of the contender runs in its revision and is ready. */
export function isReady({ gating }: Contender, reports: ServerReport[]): boolean {
  return gating.every(({ config, subHash }) =>
    reports.some((report) => report.name === config.name && report.subHash === subHash && report.state === 'ready'),
  )
}

/** The report of a failed server, with the failure as its last error, for a verdict. */
export function failedReport({ message, report }: ServerFailure): ServerReport {
  return { ...report, state: 'failed', lastError: report.lastError ?? message }
}

/** A server that was refused before anything of it ran. */
export function refusedReport({ config, subHash }: DesiredServer, reason: string, message: string): ServerReport {
  const instance = { instanceId: '', state: 'failed' as const, reason, message, lastLogLines: [], restartCount: 0, inFlight: 0 }
  return { name: config.name, subHash, state: 'failed', lastError: message, restartCount: 0, desired: 0, instances: [instance] }
}

/** A server of a config that runs without it. */
export function forbiddenReport({ config, subHash }: DesiredServer, message: string): ServerReport {
  const desired = config.state === 'stopped' ? 0 : 1
  return { name: config.name, subHash, state: 'failed', lastError: `LocalPolicy: ${message}`, restartCount: 0, desired, instances: [] }
}
