import { relative } from './output/age.ts'
import { pinSentence } from './output/config-history.ts'
import type { Phase } from './output/ladder.ts'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { GatewayStatus } from '@mcpg/proto/kinds/gateway'
import { serverDefaults, type ServerOnGateway, type ServerSpec, type ServerStatus } from '@mcpg/proto/kinds/server'

/** A server on a gateway, judged: `pending` may still change by itself, everything else has ended. */
export type Workload = {
  server: string
  gateway: string
  verdict: 'ok' | 'pending' | 'failed' | 'offline' | 'pinned' | 'unplaced'
  state: string
  reason: string
  message: string
  lastLogLines: string[]
  /** When its gateway was heard of last, of one that is not there now. */
  lastSeenAt?: string
}

/** A verdict as a step of a ladder. */
export const phases: Record<Workload['verdict'], Phase> = {
  ok: 'done',
  pending: 'running',
  failed: 'failed',
  offline: 'skipped',
  pinned: 'skipped',
  unplaced: 'skipped',
}

/** Reasons of `pending` that are only a matter of time, in the words of a person. */
const waiting: Record<string, string> = {
  NotObserved: 'waiting for the control plane',
  ConfigPending: 'waiting for the gateway',
  ConfigRefused: 'the gateway refused the config',
}

/** State and reason as they stand in a ladder. */
export function stateText({ state, reason }: Pick<Workload, 'state' | 'reason'>): string {
  return state === 'pending' && waiting[reason] !== undefined ? waiting[reason] : [state, reason].filter(Boolean).join(' ')
}

/** Connections in which a gateway hears of nothing for now. */
const silent = new Set(['offline', 'stopped', 'never_seen', 'revoked', 'unknown'])

/** What became of a server, gateway by gateway; one row `unplaced` when no gateway runs it. Pure. */
export function workloadsOf(server: Resource, gateways: ReadonlyMap<string, Resource>): Workload[] {
  const { metadata } = server
  const status = server.status as Partial<ServerStatus>
  const row = { server: metadata.name, lastLogLines: [] as string[], reason: '', message: '' }
  // Until the control plane has looked at this revision its status speaks of an older one.
  if ((status.observedGeneration ?? 0) < metadata.generation)
    return [{ ...row, gateway: '', verdict: 'pending', state: 'pending', reason: 'NotObserved' }]
  const unplaced = status.conditions?.find(({ type, status: value }) => type === 'Unplaced' && value === 'True')
  if (unplaced) return [{ ...row, gateway: '', verdict: 'unplaced', state: 'Unplaced', reason: unplaced.reason, message: unplaced.message }]
  const placed = status.gateways ?? []
  if (placed.length === 0) return [{ ...row, gateway: '', verdict: 'pending', state: 'pending', reason: '' }]
  const wanted = (server.spec as ServerSpec).state ?? serverDefaults.state
  return placed.map((one) => ({ ...row, ...judge(one, wanted, gateways.get(one.gateway)) }))
}

function judge(one: ServerOnGateway, wanted: string, gateway: Resource | undefined): Omit<Workload, 'server'> {
  const { gateway: name, state, reason = '', message = '', lastLogLines = [] } = one
  const row = { gateway: name, state: state as string, reason, message, lastLogLines }
  const { connection, lastSeenAt } = (gateway?.status ?? {}) as Partial<GatewayStatus>
  if (one.heldBack) return { ...row, verdict: 'failed', state: 'HeldBack', reason: one.heldBack.reason, message: one.heldBack.message }
  if (one.pinned) return { ...row, verdict: 'pinned', state: 'Pinned', reason: 'GatewayPinned', message: pinSentence(name, one.pinned) }
  if (connection && silent.has(connection))
    return {
      ...row,
      verdict: 'offline',
      state: connection,
      reason: '',
      message: awayText(connection, lastSeenAt),
      ...(lastSeenAt !== undefined && { lastSeenAt }),
    }
  if (wanted === 'stopped') return { ...row, verdict: state === 'stopped' ? 'ok' : 'pending' }
  if (state === 'ready') return { ...row, verdict: isApplied(gateway) ? 'ok' : 'pending' }
  return { ...row, verdict: state === 'failed' ? 'failed' : 'pending' }
}

function awayText(connection: string, lastSeenAt: string | undefined): string {
  const since = lastSeenAt === undefined || connection === 'never_seen' ? '' : `, last seen ${relative(lastSeenAt)} (${lastSeenAt})`
  return `gateway is ${connection.replace('_', ' ')}${since}`
}

/** A server is ready through the whole change of a config, so ready alone says nothing about the new revision. */
function isApplied(gateway: Resource | undefined): boolean {
  const config = (gateway?.status as Partial<GatewayStatus> | undefined)?.config
  return !config?.desired || config.applied?.hash === config.desired.hash
}
