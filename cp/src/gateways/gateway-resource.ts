import { fromJsonString } from '@bufbuild/protobuf'
import { createHash } from 'node:crypto'
import { GatewayDescriptionSchema, type GatewayDescription } from '@mcpg/proto/gen/types'
import type { GatewayStatus } from '@mcpg/proto/kinds/gateway'
import type { Condition, Resource } from '@mcpg/proto/kinds/kind'
import type { HealthState } from '@mcpg/proto/status'
import type { Configs, Standing } from '../config/service.ts'
import { isConnected, type Live } from './live.ts'
import type { GatewayRow } from './store.ts'

/** Servers that a condition names; a message is for reading. */
const maxNamedServers = 10

type Certificate = { serial: string; notAfter: string; renewals: number; recoveries: number }

/** What is known of a gateway's certificate; undefined for one with a bearer. */
export type CertificateOf = (gatewayId: string) => Certificate | undefined

/** A gateway as an object: three facts side by side (connection, config, health), and never one that is older than it looks. */
export function gatewayResource(
  row: GatewayRow,
  { live, configs, certificateOf }: { live: Live; configs: Pick<Configs, 'standing' | 'numberOf'>; certificateOf: CertificateOf },
): Resource {
  const connection = live.presence.stateOf(row.id)
  const state = live.state(row.id)
  const standing = configs.standing(row.id)
  const servers = countServers(row, live, standing)
  const description = readDescription(row)
  const lastSeen = state.lastSeen > 0 ? new Date(state.lastSeen).toISOString() : row.lastSeenAt
  const status: GatewayStatus = {
    observedGeneration: 1,
    connection,
    config: configAxis(row, standing, (hash) => configs.numberOf(row.id, hash)),
    health: isConnected(connection) ? healthOf(servers) : 'unknown',
    servers,
    activeSessions: isConnected(connection) ? state.activeSessions : 0,
    ...(state.memoryRssBytes !== undefined && { memoryRssBytes: state.memoryRssBytes }),
    ...(description?.softwareVersion && { version: description.softwareVersion }),
    ...(description?.platform && { platform: description.platform }),
    ...(description?.hostname && { hostname: description.hostname }),
    endpoints: description?.endpoints ?? [],
    reportedLabels: description?.reportedLabels ?? {},
    ...(row.bootId !== null && { bootId: row.bootId }),
    sessionEpoch: row.sessionEpoch,
    enrolledAt: row.enrolledAt,
    credential: credentialOf(certificateOf(row.id)),
    ...(state.connectedAt !== undefined && isConnected(connection) && { connectedAt: state.connectedAt }),
    ...(lastSeen !== null && { lastSeenAt: lastSeen }),
    conditions: conditionsOf(row, standing, state.duplicateSince),
  }
  return {
    kind: 'Gateway',
    metadata: {
      name: row.name,
      uid: row.id,
      org: row.org,
      workspace: row.workspace,
      environment: row.environment,
      labels: row.labels,
      annotations: {},
      generation: 1,
      resourceVersion: createHash('sha256')
        .update(JSON.stringify([row.labels, row.revokedAt]))
        .digest('hex')
        .slice(0, 16),
      createdAt: row.enrolledAt,
      updatedAt: row.updatedAt,
    },
    spec: { origin: row.origin, instanceUid: row.instanceUid },
    status,
  }
}

function credentialOf(certificate: Certificate | undefined): GatewayStatus['credential'] {
  if (!certificate) return { kind: 'bearer' }
  const { serial, notAfter, renewals, recoveries } = certificate
  return { kind: 'certificate', serial, notAfter, renewals, recoveries }
}

function configAxis(
  row: GatewayRow,
  { desired, applied, heldBack, pinned }: Standing,
  numberOf: (hash: string) => number | undefined,
): GatewayStatus['config'] {
  const state = desired === undefined ? 'none' : desired.state === 'offered' ? 'waiting' : desired.state
  const point = (hash: string | null) =>
    hash === null ? undefined : applied?.hash === hash ? applied : { generation: numberOf(hash) ?? 0, hash }
  const running = point(row.appliedHash)
  const lkg = point(row.lkgHash)
  return {
    state,
    ...(desired?.reason && { reason: desired.reason }),
    ...(desired?.message && { message: desired.message }),
    ...(desired && { desired: { generation: desired.generation, hash: desired.configHash, at: desired.createdAt } }),
    ...(running && { applied: running }),
    ...(lkg && { lkg }),
    heldBack: heldBack.map(({ server, reason, message, since }) => ({ server, reason, message, since })),
    ...(pinned && {
      pinned: {
        generation: pinned.generation,
        hash: pinned.configHash,
        since: pinned.since,
        by: pinned.by,
        waiting: [...pinned.waiting],
      },
    }),
  }
}

/** Of the servers that should run there; what is not known to be ready is not. */
function countServers({ id }: GatewayRow, live: Live, { desired }: Standing): { ready: number; total: number } {
  const running = [...(desired?.document.entries.values() ?? [])].filter((entry) => !entry.stopped)
  const reports = live.serversOf(id)
  const ready = live.isConnected(id) ? running.filter(({ name }) => reports.get(name)?.state === 'ready').length : 0
  return { ready, total: running.length }
}

function healthOf({ ready, total }: { ready: number; total: number }): HealthState {
  if (ready === total) return 'healthy'
  return ready > 0 ? 'degraded' : 'down'
}

function conditionsOf(
  { enrolledAt, lockedAt, name }: GatewayRow,
  { error, heldBack, desired, pinned }: Standing,
  duplicateSince: string | undefined,
): Condition[] {
  const conditions: Condition[] = []
  if (lockedAt !== null)
    conditions.push({
      type: 'Degraded',
      status: 'True',
      reason: 'CredentialCloneSuspected',
      message:
        'The key of this gateway was used in two places, so its state dir was copied; nobody gets in with it any more. Delete the gateway and enroll it again.',
      lastTransitionTime: lockedAt,
    })
  if (duplicateSince !== undefined)
    conditions.push({
      type: 'Degraded',
      status: 'True',
      reason: 'Duplicate',
      message: 'Two processes present this identity: a state dir was copied. Enroll one of them anew with --re-enroll.',
      lastTransitionTime: duplicateSince,
    })
  if (error !== undefined)
    conditions.push({
      type: 'Degraded',
      status: 'True',
      reason: 'ConfigTooLarge',
      message: error,
      lastTransitionTime: desired?.createdAt ?? enrolledAt,
    })
  if (heldBack.length > 0) conditions.push(heldBackCondition(heldBack, enrolledAt))
  if (pinned)
    conditions.push({
      type: 'Pinned',
      status: 'True',
      reason: 'RolledBackByHand',
      message: `Rolled back to generation ${pinned.generation} by ${pinned.by}: ${waitingText(pinned.waiting)} until mcpg-ctl resume gateway/${name}.`,
      lastTransitionTime: pinned.since,
    })
  return conditions
}

/** Each server with its own reason; `config.heldBack` has those that do not fit. */
function heldBackCondition(heldBack: Standing['heldBack'], enrolledAt: string): Condition {
  const reasons = new Set(heldBack.map((one) => one.reason))
  const parts = heldBack.slice(0, maxNamedServers).map((one) => `${one.server}: ${one.message || one.reason}`)
  if (heldBack.length > maxNamedServers) parts.push(`and ${heldBack.length - maxNamedServers} more`)
  const times = heldBack.flatMap(({ since }) => (since === '' ? [] : [since]))
  return {
    type: 'HeldBack',
    status: 'True',
    reason: reasons.size === 1 ? heldBack[0]!.reason : 'SeveralReasons',
    message: parts.join('; '),
    // It holds since the first of them.
    lastTransitionTime: times.sort()[0] ?? enrolledAt,
  }
}

function waitingText(waiting: readonly string[]): string {
  if (waiting.length === 0) return 'no change reaches it'
  const named = waiting.slice(0, maxNamedServers).join(', ')
  return `what was changed of ${named}${waiting.length > maxNamedServers ? ` and ${waiting.length - maxNamedServers} more` : ''} does not reach it`
}

/** URLs of a gateway's endpoint, as it tells them. */
export const endpointsOf = (row: GatewayRow): string[] => readDescription(row)?.endpoints ?? []

function readDescription({ description }: GatewayRow): GatewayDescription | null {
  return description === null ? null : fromJsonString(GatewayDescriptionSchema, description, { ignoreUnknownFields: true })
}
