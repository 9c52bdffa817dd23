import type { Resource } from '@mcpg/proto/kinds/kind'
import { conditionsOf, type ConditionView } from './condition.ts'
import { findNumber, labelsOf, numberOf, recordOf, recordsOf, textOf, textsOf } from './reported.ts'

export type HoldView = { reason: string; message: string; since: string; running: string }

/** What one gateway says about the server; `state` is a word of the API. */
export type ServerOnGatewayView = {
  gateway: string
  environment: string
  state: string
  reason: string
  message: string
  ready: number
  desired: number
  restarts: number
  resolvedVersion: string
  lastLogLines: string[]
  exitCode: number | undefined
  heldBack: HoldView | undefined
  /** The gateway is pinned to an older config in which this server is another one, or none. */
  pinned: { generation: number; since: string; by: string } | undefined
  reportedAt: string
}

export type ServerView = {
  name: string
  labels: Record<string, string>
  createdAt: string
  source: { kind: 'package' | 'command' | 'url' | 'unknown'; text: string; runtime: string }
  desiredState: string
  ready: number
  desired: number
  placed: number
  tools: number
  conditions: ConditionView[]
  gateways: ServerOnGatewayView[]
  resource: Resource
}

export function serverView(resource: Resource): ServerView {
  const { metadata } = resource
  const spec = recordOf(resource.spec)
  const status = recordOf(resource.status)
  return {
    name: metadata.name,
    labels: labelsOf(metadata.labels),
    createdAt: textOf(metadata.createdAt),
    source: sourceOf(spec),
    desiredState: textOf(spec['state']) || 'running',
    ready: numberOf(status['ready']),
    desired: numberOf(status['desired']),
    placed: numberOf(status['placed']),
    tools: numberOf(status['tools']),
    conditions: conditionsOf(status['conditions']),
    gateways: recordsOf(status['gateways']).map(onGateway),
    resource,
  }
}

/** A server on many gateways is shown by the worst that is known of it; a gateway that does not report says nothing about the server. */
const worstFirst = ['failed', 'degraded', 'starting', 'pending', 'ready', 'unknown', 'stopped']

/** One word for a list: the worst state on any gateway, `stopped` where that is wished, `unplaced` on no gateway. */
export function overallState({ desiredState, placed, gateways }: ServerView): string {
  if (desiredState === 'stopped') return 'stopped'
  if (placed === 0 && gateways.length === 0) return 'unplaced'
  const rank = (state: string) => (worstFirst.includes(state) ? worstFirst.indexOf(state) : worstFirst.indexOf('unknown'))
  return gateways.map((one) => one.state).sort((a, b) => rank(a) - rank(b))[0] ?? 'unknown'
}

function onGateway(one: Record<string, unknown>): ServerOnGatewayView {
  const held = recordOf(one['heldBack'])
  const pin = recordOf(one['pinned'])
  return {
    gateway: textOf(one['gateway']),
    environment: textOf(one['environment']),
    state: textOf(one['state']) || 'unknown',
    reason: textOf(one['reason']),
    message: textOf(one['message']),
    ready: numberOf(one['ready']),
    desired: numberOf(one['desired']),
    restarts: numberOf(one['restarts']),
    resolvedVersion: textOf(one['resolvedVersion']),
    lastLogLines: textsOf(one['lastLogLines']),
    exitCode: findNumber(one['exitCode']),
    heldBack: one['heldBack']
      ? { reason: textOf(held['reason']), message: textOf(held['message']), since: textOf(held['since']), running: textOf(held['running']) }
      : undefined,
    pinned: one['pinned'] ? { generation: numberOf(pin['generation']), since: textOf(pin['since']), by: textOf(pin['by']) } : undefined,
    reportedAt: textOf(one['reportedAt']),
  }
}

function sourceOf(spec: Record<string, unknown>): ServerView['source'] {
  if (spec['package']) {
    const { runtime, name, version } = recordOf(spec['package'])
    return { kind: 'package', text: textOf(name) + (version ? `@${textOf(version)}` : ''), runtime: textOf(runtime) }
  }
  if (spec['url']) return { kind: 'url', text: textOf(recordOf(spec['url'])['url']), runtime: '' }
  const command = spec['command']
  if (command) return { kind: 'command', text: textOf(command) || textsOf(command).join(' '), runtime: '' }
  return { kind: 'unknown', text: '', runtime: '' }
}
