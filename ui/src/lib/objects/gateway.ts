import type { Resource } from '@mcpg/proto/kinds/kind'
import { conditionsOf, type ConditionView } from './condition.ts'
import { findNumber, labelsOf, numberOf, recordOf, recordsOf, textOf, textsOf } from './reported.ts'

/** A config in the history of one gateway; `hash` is 64 hex digits. */
export type ConfigPointView = { generation: number; hash: string; at: string }

/** A gateway rolled back by hand stays there; `waiting` are servers whose changes it does not get. */
export type PinView = { generation: number; since: string; by: string; waiting: string[] }

/** How a gateway proves who it is; `kind` is empty where the control plane does not say. Times in RFC 3339. */
export type CredentialView = { kind: string; serial: string; notAfter: string; renewals: number; recoveries: number }

/** `connection`, `config.state` and `health` are the three axes, words of the API. */
export type GatewayView = {
  name: string
  uid: string
  environment: string
  labels: Record<string, string>
  createdAt: string
  origin: string
  instanceUid: string
  connection: string
  config: {
    state: string
    reason: string
    message: string
    desired: ConfigPointView | undefined
    applied: ConfigPointView | undefined
    lkg: ConfigPointView | undefined
    heldBack: { server: string; reason: string; message: string; since: string }[]
    pinned: PinView | undefined
  }
  health: string
  servers: { ready: number; total: number }
  activeSessions: number
  memoryRssBytes: number | undefined
  version: string
  platform: string
  hostname: string
  endpoints: string[]
  reportedLabels: Record<string, string>
  enrolledAt: string
  credential: CredentialView
  connectedAt: string
  lastSeenAt: string
  conditions: ConditionView[]
  resource: Resource
}

export function gatewayView(resource: Resource): GatewayView {
  const { metadata } = resource
  const spec = recordOf(resource.spec)
  const status = recordOf(resource.status)
  const config = recordOf(status['config'])
  const servers = recordOf(status['servers'])
  return {
    name: metadata.name,
    uid: textOf(metadata.uid),
    environment: metadata.environment ?? '',
    labels: labelsOf(metadata.labels),
    createdAt: textOf(metadata.createdAt),
    origin: textOf(spec['origin']),
    instanceUid: textOf(spec['instanceUid']),
    connection: textOf(status['connection']) || 'unknown',
    config: {
      state: textOf(config['state']) || 'none',
      reason: textOf(config['reason']),
      message: textOf(config['message']),
      desired: configPoint(config['desired']),
      applied: configPoint(config['applied']),
      lkg: configPoint(config['lkg']),
      heldBack: recordsOf(config['heldBack']).map((one) => ({
        server: textOf(one['server']),
        reason: textOf(one['reason']),
        message: textOf(one['message']),
        since: textOf(one['since']),
      })),
      pinned: pinOf(config['pinned']),
    },
    health: textOf(status['health']) || 'unknown',
    servers: { ready: numberOf(servers['ready']), total: numberOf(servers['total']) },
    activeSessions: numberOf(status['activeSessions']),
    memoryRssBytes: findNumber(status['memoryRssBytes']),
    version: textOf(status['version']),
    platform: textOf(status['platform']),
    hostname: textOf(status['hostname']),
    endpoints: textsOf(status['endpoints']),
    reportedLabels: labelsOf(status['reportedLabels']),
    enrolledAt: textOf(status['enrolledAt']) || textOf(metadata.createdAt),
    credential: credentialOf(status['credential']),
    connectedAt: textOf(status['connectedAt']),
    lastSeenAt: textOf(status['lastSeenAt']),
    conditions: conditionsOf(status['conditions']),
    resource,
  }
}

function configPoint(value: unknown): ConfigPointView | undefined {
  const point = recordOf(value)
  const hash = textOf(point['hash'])
  return hash ? { generation: numberOf(point['generation']), hash, at: textOf(point['at']) } : undefined
}

function pinOf(value: unknown): PinView | undefined {
  const pin = recordOf(value)
  const generation = numberOf(pin['generation'])
  return generation === 0 ? undefined : { generation, since: textOf(pin['since']), by: textOf(pin['by']), waiting: textsOf(pin['waiting']) }
}

function credentialOf(value: unknown): CredentialView {
  const credential = recordOf(value)
  return {
    kind: textOf(credential['kind']),
    serial: textOf(credential['serial']),
    notAfter: textOf(credential['notAfter']),
    renewals: numberOf(credential['renewals']),
    recoveries: numberOf(credential['recoveries']),
  }
}
