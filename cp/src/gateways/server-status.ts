import type { Clock } from '@mcpg/core/clock'
import type { Condition, Resource } from '@mcpg/proto/kinds/kind'
import { serverKind, type ServerOnGateway, type ServerSpec, type ServerStatus } from '@mcpg/proto/kinds/server'
import type { ConnectionState } from '@mcpg/proto/status'
import { isPlaced } from '../config/compile.ts'
import type { Configs } from '../config/service.ts'
import { specErrorOf } from '../servers/spec-error.ts'
import { turn } from '../turns.ts'
import type { Inventories } from './inventories.ts'
import type { Live } from './live.ts'
import type { Registry } from './registry.ts'
import { offeredInventory, tellingInstance } from './reports.ts'
import type { GatewayRow } from './store.ts'

/**
 * The status of a Server from what its gateways prove. A gateway that is not connected says nothing, so it counts as `unknown`; one
 * that still runs an earlier revision counts as `pending`, however well that one does.
 */
export function serverStatuses({
  registry,
  live,
  configs,
  inventories,
  clock,
}: {
  registry: Registry
  live: Live
  configs: Pick<Configs, 'standing' | 'observedGeneration' | 'specError' | 'isSecretDue'>
  inventories: Inventories
  clock: Clock
}) {
  const transitions = new Map<string, { status: string; since: string }>()
  return { statusOf, placedOn }

  /** Names of the gateways that would run each of them. */
  async function placedOn(scope: { org: string; workspace: string }, specs: ServerSpec[]): Promise<string[][]> {
    const rows = registry
      .list(scope)
      .filter((row) => row.revokedAt === null)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    const placed: string[][] = []
    for (const spec of specs) {
      placed.push(rows.filter((row) => isPlaced(spec, row)).map((row) => row.name))
      await turn()
    }
    return placed
  }

  async function statusOf(resource: Resource): Promise<ServerStatus> {
    const { metadata } = resource
    const spec = resource.spec as ServerSpec
    const scope = { org: metadata.org ?? '', workspace: metadata.workspace ?? '' }
    const observedGeneration = configs.observedGeneration(metadata.uid)
    // Nobody has compiled it since the start: whether it can be read is not known yet.
    const specError = configs.specError(metadata.uid) ?? (observedGeneration === 0 ? specErrorOf(spec) : undefined)
    // Where an unreadable one should run cannot be known, only where it does.
    const isSecretDue =
      specError === undefined &&
      serverKind.references(spec).some(({ name }) => configs.isSecretDue(`${scope.org}/${scope.workspace}`, name))
    const rows = specError === undefined ? gatewaysFor(scope, spec) : gatewaysWith(scope, metadata)
    const gateways = rows
      .map((row) => onGateway(row, metadata.name, specError === undefined ? spec : undefined, isSecretDue))
      .sort((a, b) => (a.gateway < b.gateway ? -1 : 1))
    return {
      observedGeneration,
      ready: gateways.reduce((sum, one) => sum + one.ready, 0),
      desired: gateways.reduce((sum, one) => sum + one.desired, 0),
      placed: gateways.length,
      tools: await countTools(rows, metadata.name),
      conditions: conditionsOf(resource, gateways, specError),
      gateways,
    }
  }

  function gatewaysFor(scope: { org: string; workspace: string }, spec: ServerSpec): GatewayRow[] {
    return registry.list(scope).filter((row) => row.revokedAt === null && isPlaced(spec, row))
  }

  function gatewaysWith(scope: { org: string; workspace: string }, { name, uid }: Resource['metadata']): GatewayRow[] {
    return registry.list(scope).filter((row) => configs.standing(row.id).desired?.document.entries.get(name)?.uid === uid)
  }

  /** Without a spec, because it cannot be read, the gateway should run what it has. */
  function onGateway(row: GatewayRow, name: string, spec: ServerSpec | undefined, isSecretDue: boolean): ServerOnGateway {
    const { desired, heldBack, pinned, error } = configs.standing(row.id)
    const report = live.serversOf(row.id).get(name)
    const held = heldBack.find((one) => one.server === name)
    const entry = desired?.document.entries.get(name)
    const isPinned = pinned?.waiting.includes(name) === true
    // A pinned gateway is judged by what it is pinned to.
    const isStopped = (isPinned || !spec) && entry ? entry.stopped : spec?.state === 'stopped'
    const wanted = isStopped || (held !== undefined && held.running === undefined) ? 0 : Math.max(1, report?.desired ?? 1)
    const about = {
      gateway: row.name,
      environment: row.environment,
      restarts: report?.restarts ?? 0,
      ...(report?.resolvedVersion !== undefined && { resolvedVersion: report.resolvedVersion }),
      ...(report !== undefined && { reportedAt: report.reportedAt }),
      ...(isPinned && { pinned: { generation: pinned.generation, since: pinned.since, by: pinned.by } }),
      ...(held && {
        heldBack: {
          reason: held.reason,
          message: held.message,
          since: held.since,
          ...(held.running !== undefined && { running: held.running }),
        },
        // Of the refused revision; an instance of the one that runs instead overrides it below, once that fails too.
        ...held.evidence,
      }),
    }
    const connection = live.presence.stateOf(row.id)
    if (!live.isConnected(row.id))
      return {
        ...about,
        state: 'unknown',
        reason: `Gateway${camelCase(connection)}`,
        message: absence[connection] ?? 'The gateway is not connected.',
        ready: 0,
        desired: wanted,
      }
    if (held && held.running === undefined)
      return {
        ...about,
        state: 'failed',
        reason: held.reason,
        message: `Held back: ${held.message}`,
        ready: 0,
        desired: 1,
      }
    if (isPinned && !entry)
      return {
        ...about,
        state: 'pending',
        reason: 'GatewayPinned',
        message: pinnedText(row.name, pinned),
        ready: 0,
        desired: wanted,
      }
    if (error !== undefined) return { ...about, state: 'pending', reason: 'ConfigTooLarge', message: error, ready: 0, desired: wanted }
    // Started, stopped or given another value a moment ago: the config that says so is not compiled yet.
    const isBehind = held === undefined && (entry?.stopped !== isStopped || (isSecretDue && !isPinned))
    if (!entry || !report || isBehind || report.subHash !== entry.subHash) {
      const refused = desired?.state === 'rejected' || desired?.state === 'rolled_back'
      return {
        ...about,
        state: 'pending',
        reason: refused ? 'ConfigRefused' : 'ConfigPending',
        message: refused
          ? `The gateway refused the config${desired.reason ? ` (${desired.reason})` : ''}${desired.message ? `: ${desired.message}` : '.'}`
          : 'The gateway has not reported this revision yet.',
        ready: 0,
        desired: wanted,
      }
    }
    const telling = tellingInstance(report)
    const reason = telling?.reason
    const message = telling?.message ?? report.lastError
    return {
      ...about,
      state: report.state ?? 'unknown',
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && report.state !== 'ready' && { message }),
      ready: report.instances.filter((one) => one.state === 'ready' && one.belongsTo === undefined).length,
      desired: entry.stopped ? 0 : report.desired,
      ...(telling && telling.lastLogLines.length > 0 && { lastLogLines: telling.lastLogLines }),
      ...(telling?.exitCode !== undefined && { exitCode: telling.exitCode }),
    }
  }

  async function countTools(rows: GatewayRow[], name: string): Promise<number> {
    const names = new Set<string>()
    for (const hash of new Set(rows.map((row) => offeredInventory(live.serversOf(row.id).get(name)))))
      if (hash !== undefined) for (const tool of await inventories.toolNames(hash)) names.add(tool)
    return names.size
  }

  function conditionsOf({ metadata, spec }: Resource, gateways: ServerOnGateway[], specError: string | undefined): Condition[] {
    const { uid, name } = metadata
    const bad = gateways.filter((one) => one.state === 'failed' || one.state === 'degraded' || one.state === 'unknown')
    const held = gateways.filter((one) => one.heldBack)
    const pinned = gateways.flatMap((one) => (one.pinned ? [{ gateway: one.gateway, ...one.pinned }] : []))
    const waiting = gateways.filter((one) => one.state === 'pending' || one.state === 'starting')
    const isReady =
      specError === undefined &&
      gateways.length > 0 &&
      held.length === 0 &&
      pinned.length === 0 &&
      gateways.every((one) => one.state === 'ready' || one.state === 'stopped')
    const isStopped = isReady && (spec as ServerSpec).state === 'stopped'
    const anyReady = gateways.some((one) => one.ready > 0)
    const worst = held[0] ?? bad[0] ?? waiting[0]
    const why = worst ? `${worst.gateway}: ${worst.heldBack?.message ?? worst.message ?? worst.reason ?? worst.state}` : ''
    const condition = (type: Condition['type'], holds: boolean, reason: string, message: string): Condition => ({
      type,
      status: holds ? 'True' : 'False',
      reason,
      message,
      lastTransitionTime: since(`${uid}/${type}`, holds),
    })
    const conditions: Condition[] = []
    if (specError !== undefined)
      conditions.push(
        condition('Degraded', true, 'SpecUnreadable', `Its stored spec cannot be read, so gateways keep what they have: ${specError}`),
      )
    else if (gateways.length === 0)
      conditions.push(condition('Unplaced', true, 'NoGateway', 'No gateway matches its placement; it runs nowhere.'))
    if (held.length > 0) conditions.push(condition('HeldBack', true, held[0]!.heldBack!.reason, why))
    const pins = pinned.map((one) => pinnedText(one.gateway, one)).join('; ')
    if (pinned.length > 0) conditions.push(condition('Pinned', true, 'GatewayPinned', pins))
    if (bad.length > 0 && specError === undefined)
      conditions.push(condition('Degraded', true, bad[0]!.reason ?? camelCase(bad[0]!.state), why))
    if (waiting.length > 0) conditions.push(condition('Progressing', true, waiting[0]!.reason ?? camelCase(waiting[0]!.state), why))
    const onPurpose = `It is stopped on purpose; mcpg-ctl server start ${name} starts it.`
    if (isStopped) {
      conditions.push(condition('Available', false, 'Stopped', onPurpose))
      // Nothing of what is wanted is missing.
      conditions.push(condition('Ready', true, 'Stopped', onPurpose))
      return conditions
    }
    conditions.push(condition('Available', anyReady, anyReady ? 'InstancesReady' : 'NoInstanceReady', anyReady ? '' : why))
    conditions.push(condition('Ready', isReady, isReady ? 'AllReady' : (conditions[0]?.reason ?? 'NotReady'), why || pins))
    return conditions
  }

  /** When a condition became what it is; since we look, which is since the start at the latest. */
  function since(key: string, holds: boolean): string {
    const known = transitions.get(key)
    const status = String(holds)
    if (known?.status === status) return known.since
    const now = new Date(clock.now()).toISOString()
    transitions.set(key, { status, since: now })
    return now
  }
}

const pinnedText = (gateway: string, { generation, since, by }: { generation: number; since: string; by: string }): string =>
  `${gateway} is pinned to generation ${generation} since ${since} by ${by}: this change reaches it after mcpg-ctl resume gateway/${gateway}`

const camelCase = (word: string): string => word.replace(/(^|_)([a-z])/g, (_match, _gap, letter: string) => letter.toUpperCase())

/** What an absent gateway means for what it runs; the edge goes on serving without us. */
const absence: Partial<Record<ConnectionState, string>> = {
  offline: 'The gateway does not answer; it goes on serving what it had.',
  stopped: 'The agent of the gateway was stopped.',
  unknown: 'The gateway has not come back since the control plane started; what runs there is not known.',
  never_seen: 'The gateway has enrolled and never connected.',
  revoked: 'The credential of the gateway is void.',
}
