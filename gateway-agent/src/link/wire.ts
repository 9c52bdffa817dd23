import { create } from '@bufbuild/protobuf'
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { redact } from '@mcpg/core/redact'
import { ConfigHashesSchema, type ConfigHashes } from '@mcpg/proto/gen/gateway'
import { ConfigStatusSchema, InstanceStatusSchema, ServerStatusSchema, type ConfigStatus, type ServerStatus } from '@mcpg/proto/gen/types'
import { configFailureWords, configStateWords, instanceStateWords, serverStateWords } from '@mcpg/proto/status-wire'
import type { ConfigReport, Hashes } from '../config/machine.ts'
import type { InstanceReport, ServerReport } from '../servers/supervision.ts'

export const hexBytes = (hex: string | null): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(hex ?? '', 'hex'))

export function hashesOnWire({ applied, lkg, lastOffered, highestGeneration }: Hashes): ConfigHashes {
  return create(ConfigHashesSchema, {
    appliedHash: hexBytes(applied),
    lkgHash: hexBytes(lkg),
    lastOfferedHash: hexBytes(lastOffered),
    highestGeneration: BigInt(highestGeneration),
  })
}

export function configStatusOnWire(report: ConfigReport): ConfigStatus {
  return create(ConfigStatusSchema, {
    nonce: report.nonce,
    generation: BigInt(report.generation),
    configHash: hexBytes(report.hash),
    state: configStateWords.wire(report.state),
    failureReason: configFailureWords.wire(report.reason),
    message: clean(report.message, 4096),
    servers: report.servers.map((server) => serverStatusOnWire(server)),
    elapsed: durationFromMs(Math.round(report.elapsedMs)),
  })
}

export function serverStatusOnWire(report: ServerReport, inventoryHash?: Uint8Array<ArrayBuffer>): ServerStatus {
  return create(ServerStatusSchema, {
    name: report.name,
    state: serverStateWords.wire(report.state),
    lastError: clean(report.lastError ?? '', 1024),
    restartCount: report.restartCount,
    subHash: hexBytes(report.subHash),
    instances: report.instances.map(instanceOnWire),
    desired: report.desired,
    resolvedVersion: report.resolvedVersion ?? '',
    ...(inventoryHash && { inventoryHash }),
  })
}

function instanceOnWire(instance: InstanceReport) {
  return create(InstanceStatusSchema, {
    instanceId: instance.instanceId,
    state: instanceStateWords.wire(instance.state),
    reason: instance.reason ?? '',
    message: clean(instance.message ?? '', 1024),
    ...(instance.exitCode !== undefined && { exitCode: instance.exitCode }),
    signal: instance.signal ?? '',
    lastLogLines: lastLines(instance.lastLogLines),
    protocolVersion: instance.protocolVersion ?? '',
    ...(instance.startTime !== undefined && { startTime: timestampFromMs(Math.round(instance.startTime)) }),
    ...(instance.readyTime !== undefined && { readyTime: timestampFromMs(Math.round(instance.readyTime)) }),
    restartCount: instance.restartCount,
    inFlight: instance.inFlight,
    belongsTo: instance.belongsTo ?? '',
  })
}

/** At most 20 lines and 4 KiB; the newest are kept. */
function lastLines(lines: string[]): string[] {
  const kept: string[] = []
  let room = 4096
  for (const line of lines.slice(-20).reverse()) {
    const text = clean(line, room)
    if (text === '' && line !== '') break
    room -= Buffer.byteLength(text)
    kept.unshift(text)
  }
  return kept
}

/** Redacted and cut to so many bytes, never in the middle of a character. */
function clean(text: string, maxBytes: number): string {
  const safe = redact(text)
  if (Buffer.byteLength(safe) <= maxBytes) return safe
  return new TextDecoder().decode(Buffer.from(safe).subarray(0, Math.max(0, maxBytes - 3))).replace(/�+$/, '')
}
