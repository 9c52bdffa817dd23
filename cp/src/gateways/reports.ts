import { timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt'
import type { InstanceStatus as WireInstance, ServerStatus as WireServer } from '@mcpg/proto/gen/types'
import type { InstanceState, ServerState } from '@mcpg/proto/status'
import { instanceStateWords, serverStateWords } from '@mcpg/proto/status-wire'

/** One instance as its gateway last reported it. */
export type InstanceReport = {
  id: string
  state: InstanceState | undefined
  reason?: string
  message?: string
  exitCode?: number
  signal?: string
  lastLogLines: string[]
  protocolVersion?: string
  startTime?: string
  readyTime?: string
  restartCount: number
  inFlight: number
  /** It serves one client session or one caller alone and is no replica. */
  belongsTo?: 'session' | 'caller'
}

/** One server as its gateway last reported it; `reportedAt` is our clock. Stored as JSON. */
export type ServerReport = {
  name: string
  state: ServerState | undefined
  lastError?: string
  restarts: number
  subHash: string
  instances: InstanceReport[]
  desired: number
  resolvedVersion?: string
  inventoryHash?: string
  reportedAt: string
}

const limits = { instances: 64, logLines: 20, logBytes: 4096, text: 1024 }

export function serverReport(status: WireServer, reportedAt: string): ServerReport {
  return {
    name: status.name,
    state: serverStateWords.word(status.state),
    ...text('lastError', status.lastError),
    restarts: status.restartCount,
    subHash: hex(status.subHash),
    instances: status.instances.slice(0, limits.instances).map(instanceReport),
    desired: status.desired,
    ...text('resolvedVersion', status.resolvedVersion),
    ...text('inventoryHash', hex(status.inventoryHash)),
    reportedAt,
  }
}

function instanceReport(instance: WireInstance): InstanceReport {
  return {
    id: instance.instanceId,
    state: instanceStateWords.word(instance.state),
    ...text('reason', instance.reason),
    ...text('message', instance.message),
    ...(instance.exitCode !== undefined && { exitCode: instance.exitCode }),
    ...text('signal', instance.signal),
    lastLogLines: lastLines(instance.lastLogLines),
    ...text('protocolVersion', instance.protocolVersion),
    ...time('startTime', instance.startTime),
    ...time('readyTime', instance.readyTime),
    restartCount: instance.restartCount,
    inFlight: instance.inFlight,
    ...((instance.belongsTo === 'session' || instance.belongsTo === 'caller') && { belongsTo: instance.belongsTo }),
  }
}

/** The newest lines that fit: a gateway that does not keep to the limits must not fill our tables. */
function lastLines(lines: string[]): string[] {
  const kept: string[] = []
  let left = limits.logBytes
  for (const line of lines.slice(-limits.logLines).reverse()) {
    if (line.length > left) break
    left -= line.length
    kept.unshift(line)
  }
  return kept
}

function text<Field extends string>(field: Field, value: string): { [Key in Field]?: string } {
  return value === '' ? {} : ({ [field]: value.slice(0, limits.text) } as { [Key in Field]?: string })
}

function time<Field extends string>(field: Field, value: Timestamp | undefined): { [Key in Field]?: string } {
  return value ? ({ [field]: new Date(timestampMs(value)).toISOString() } as { [Key in Field]?: string }) : {}
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Hash of what a server offers now: one that is stopped offers nothing, whatever it had. */
export function offeredInventory(report: ServerReport | undefined): string | undefined {
  return report && !isStoppedOnPurpose(report) ? report.inventoryHash : undefined
}

/** An instance that goes because its agent does, or because another takes its place, is stopped too, and still wanted. */
export const isStoppedOnPurpose = ({ state, desired }: ServerReport): boolean => state === 'stopped' && desired === 0

/** The instance that says most about why a server is not ready: one that failed, else one that waits, else none. */
export function tellingInstance(report: ServerReport): InstanceReport | undefined {
  const bad = report.instances.filter(
    (one) => one.state !== 'ready' && one.state !== 'stopped' && one.state !== 'stopping' && !one.belongsTo,
  )
  return bad.find((one) => one.reason !== undefined) ?? bad[0]
}
