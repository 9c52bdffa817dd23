import { toJsonString } from '@bufbuild/protobuf'
import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import type { ServerInventory } from '@mcpg/proto/gen/delivery'
import type { ConfigHashes, Heartbeat, ServerStatusReport } from '@mcpg/proto/gen/gateway'
import { GatewayDescriptionSchema, type GatewayDescription } from '@mcpg/proto/gen/types'
import type { ConnectionState } from '@mcpg/proto/status'
import type { Changes } from '../changes/changes.ts'
import type { GatewayEvent, TellOfGateway } from '../events/gateway-events.ts'
import type { GatewayColumns } from '../db/db.ts'
import { turn } from '../turns.ts'
import type { Inventories } from './inventories.ts'
import { presenceTracker } from './presence.ts'
import type { Registry } from './registry.ts'
import { instanceResource, toolResource } from './reported-resources.ts'
import { hex, isStoppedOnPurpose, offeredInventory, serverReport, type ServerReport } from './reports.ts'
import type { GatewayPatch, GatewayRow, GatewayStore } from './store.ts'
import type { Writes } from './writes.ts'

/** A gateway's last sign of life is written again once it is this much older than what stands in the table. */
const lastSeenGranularityMs = 60_000
const maxServers = 2_000

type State = {
  servers: Map<string, ServerReport>
  activeSessions: number
  memoryRssBytes: number | undefined
  connectedAt: string | undefined
  /** Wall time of the last frame. */
  lastSeen: number
  /** Hash of the inventory that watchers know, by server. */
  toldInventories: Map<string, string>
  /** Two processes present this identity; says since when. */
  duplicateSince: string | undefined
}

export type Live = ReturnType<typeof liveGateways>

/**
 * What gateways say while they are connected: presence, heartbeats, servers, inventories. It lives in memory; what outlasts a restart
 * is written together, and a heartbeat never is.
 */
export function liveGateways({
  registry,
  store,
  writes,
  inventories,
  changes,
  happened,
  clock,
  timers,
}: {
  registry: Registry
  store: GatewayStore
  writes: Writes
  inventories: Inventories
  changes: Changes
  happened: TellOfGateway
  clock: Clock
  timers: Timers
}) {
  const states = new Map<string, State>()
  const reporters = new Map<string, { gatewayId: string; server: string }>() // by id of the instance
  const presence = presenceTracker({ clock, timers, onTransition })
  const silenceListeners = new Set<(gatewayId: string) => void>()
  let cancelFlush = () => {}
  return {
    presence,
    restore,
    forget,
    stop,
    patch,
    opened,
    frame,
    heartbeat,
    describe,
    reportHashes,
    reportServers,
    reportInventory,
    setDuplicate,
    serversOf: (id: string): ReadonlyMap<string, ServerReport> => stateOf(id).servers,
    state: (id: string): Readonly<State> => stateOf(id),
    /** Who reported an instance last; what is known of it may be older. */
    reporterOf: (instanceId: string) => reporters.get(instanceId),
    isConnected: (id: string) => isConnected(presence.stateOf(id)),
    /** A stream that is open and has been silent for too long. */
    onSilence: (listener: (gatewayId: string) => void) => void silenceListeners.add(listener),
  }

  async function restore(): Promise<void> {
    for (const row of registry.all()) presence.restore(row.id, row.revokedAt === null ? row.connection : 'revoked')
    for (const { gatewayId, server, status } of await store.listServers()) {
      const report = JSON.parse(status) as Partial<ServerReport>
      if (report.reportedAt === undefined) continue
      stateOf(gatewayId).servers.set(server, report as ServerReport)
      for (const instance of report.instances ?? []) reporters.set(instance.id, { gatewayId, server })
      const hash = offeredInventory(report as ServerReport)
      if (hash !== undefined) stateOf(gatewayId).toldInventories.set(server, hash)
    }
    flushLastSeen()
  }

  function stop(): void {
    cancelFlush()
    presence.stop()
  }

  /** Nothing of it is left; called while the registry still knows it. */
  function forget(id: string): void {
    for (const name of Array.from(stateOf(id).servers.keys())) drop(id, name)
    presence.forget(id)
    states.delete(id)
  }

  /** Changes what is known of a gateway; on disk within `statusFlush`. */
  function patch(id: string, values: GatewayPatch): void {
    const row = registry.get(id)
    if (!row) return
    Object.assign(row, values)
    writes.put(`gateway/${id}`, { op: 'gateway', id, values: columnsOf(row) })
  }

  function opened(id: string): void {
    const state = stateOf(id)
    state.connectedAt = isoNow()
    state.lastSeen = clock.now()
    presence.opened(id)
    told(id)
  }

  function frame(id: string): void {
    presence.frame(id)
    stateOf(id).lastSeen = clock.now()
  }

  function heartbeat(id: string, { activeSessions, memoryRssBytes, configHashes }: Heartbeat): void {
    const state = stateOf(id)
    if (state.activeSessions !== activeSessions) changes.status(...nameOf(id))
    state.activeSessions = activeSessions
    state.memoryRssBytes = memoryRssBytes === 0n ? undefined : Number(memoryRssBytes)
    if (configHashes) reportHashes(id, configHashes)
  }

  function describe(id: string, description: GatewayDescription, descriptionHash: string): void {
    patch(id, { description: toJsonString(GatewayDescriptionSchema, description), descriptionHash })
    told(id)
  }

  /** Empty hashes say nothing: the gateway has no config yet. */
  function reportHashes(id: string, { appliedHash, lkgHash, highestGeneration }: ConfigHashes): void {
    const row = registry.get(id)
    if (!row) return
    const now = { appliedHash: hex(appliedHash) || null, lkgHash: hex(lkgHash) || null, highestGeneration: Number(highestGeneration) }
    if (now.appliedHash === row.appliedHash && now.lkgHash === row.lkgHash && now.highestGeneration === row.highestGeneration) return
    patch(id, now)
    told(id)
  }

  /** Whoever calls it waits for its end before the next report of the gateway. */
  async function reportServers(id: string, { servers, full }: ServerStatusReport): Promise<void> {
    const known = stateOf(id).servers
    const now = isoNow()
    for (const wire of servers) {
      await turn()
      // Deleted meanwhile: nothing of it may come back.
      if (!registry.get(id)) return
      const before = known.get(wire.name)
      if (!before && known.size >= maxServers) continue
      const report = serverReport(wire, now)
      // The hash of an inventory comes with either message.
      if (report.inventoryHash === undefined && before?.inventoryHash !== undefined) report.inventoryHash = before.inventoryHash
      keep(id, report, before)
    }
    if (full) {
      const reported = new Set(servers.map((one) => one.name))
      for (const name of known.keys()) if (!reported.has(name)) drop(id, name)
    }
    told(id)
  }

  /** True when the items behind the hash are wanted. */
  async function reportInventory(id: string, report: ServerInventory): Promise<boolean> {
    const hash = hex(report.inventoryHash)
    const hasBody = report.items.length > 0 || report.truncated
    if (hasBody && !inventories.accept(report)) return false
    if (!hasBody && !(await inventories.find(hash)) && !inventories.accept(report)) return true
    const server = stateOf(id).servers.get(report.server)
    if (server && server.inventoryHash !== hash) keep(id, { ...server, inventoryHash: hash }, server)
    await tellTools(id, report.server, server && isStoppedOnPurpose(server) ? undefined : hash)
    return false
  }

  /** Tools have no rows: what appeared and what went is the difference to the inventory that was told last. */
  async function tellTools(id: string, server: string, after: string | undefined): Promise<void> {
    const row = registry.get(id)
    const scope = scopeOf(id)
    const { toldInventories } = stateOf(id)
    const before = toldInventories.get(server)
    if (after === undefined) toldInventories.delete(server)
    else toldInventories.set(server, after)
    const now = new Set((await toolsOf(after)).map((item) => item.exposedName))
    for (const item of await toolsOf(before))
      if (row && !now.has(item.exposedName))
        changes.publish({
          type: 'DELETED',
          scope,
          kind: 'Tool',
          name: item.exposedName,
          object: toolResource(row, { name: server, reportedAt: isoNow() }, item),
        })
    for (const name of now) changes.status(scope, 'Tool', name)
  }

  async function toolsOf(hash: string | undefined) {
    return (hash === undefined ? [] : ((await inventories.find(hash))?.items ?? [])).filter((item) => item.kind === 'tool')
  }

  function setDuplicate(id: string, since: string | undefined): void {
    stateOf(id).duplicateSince = since
    if (since !== undefined) happened(id, duplicateEvent)
    told(id)
  }

  function keep(id: string, report: ServerReport, before: ServerReport | undefined): void {
    stateOf(id).servers.set(report.name, report)
    writes.put(`server/${id}/${report.name}`, {
      op: 'server',
      gatewayId: id,
      server: report.name,
      status: JSON.stringify(report),
      inventoryHash: report.inventoryHash ?? null,
      updatedAt: report.reportedAt,
    })
    changes.status(scopeOf(id), 'Server', report.name)
    tellInstances(id, report, before)
    // Its tools go and come with it; as in `drop`, without the body there is nothing to tell.
    if (before && isStoppedOnPurpose(before) !== isStoppedOnPurpose(report))
      tellTools(id, report.name, offeredInventory(report)).catch(() => {})
  }

  function drop(id: string, name: string): void {
    const before = stateOf(id).servers.get(name)
    stateOf(id).servers.delete(name)
    writes.put(`server/${id}/${name}`, { op: 'serverGone', gatewayId: id, server: name })
    changes.status(scopeOf(id), 'Server', name)
    if (before) tellInstances(id, { ...before, instances: [] }, before)
    // Without the body there is nothing to tell; a list shows the truth all the same.
    tellTools(id, name, undefined).catch(() => {})
  }

  function tellInstances(id: string, report: ServerReport, before: ServerReport | undefined): void {
    const scope = scopeOf(id)
    const row = registry.get(id)
    const now = new Set(report.instances.map((one) => one.id))
    for (const gone of before?.instances ?? [])
      if (row && before && !now.has(gone.id))
        changes.publish({ type: 'DELETED', scope, kind: 'Instance', name: gone.id, object: instanceResource(row, before, gone, false) })
    for (const gone of before?.instances ?? []) reporters.delete(gone.id)
    for (const instance of now) {
      reporters.set(instance, { gatewayId: id, server: report.name })
      changes.status(scope, 'Instance', instance)
    }
  }

  /** `late` passes by itself, so it is shown and not written. */
  function onTransition(id: string, state: ConnectionState): void {
    if (state !== 'late') patch(id, { connection: state, connectionChangedAt: isoNow() })
    const event = transitionEvents[state]
    if (event) happened(id, event)
    told(id)
    // What its servers do is known or unknown from now on.
    for (const { name, instances } of stateOf(id).servers.values()) {
      changes.status(scopeOf(id), 'Server', name)
      for (const instance of instances) changes.status(scopeOf(id), 'Instance', instance.id)
    }
    if (state === 'offline') for (const listener of silenceListeners) listener(id)
  }

  function flushLastSeen(): void {
    cancelFlush = clock.after(timers.lastSeenFlush, flushLastSeen)
    const now = isoNow()
    const ids: string[] = []
    for (const [id, { lastSeen }] of states) {
      const row = registry.get(id)
      if (!row || lastSeen === 0 || lastSeen - Date.parse(row.lastSeenAt ?? row.enrolledAt) < lastSeenGranularityMs) continue
      row.lastSeenAt = now
      ids.push(id)
    }
    if (ids.length > 0) writes.put('last-seen', { op: 'lastSeen', ids, at: now })
  }

  function told(id: string): void {
    if (registry.get(id)) changes.status(...nameOf(id))
  }

  function nameOf(id: string): [scope: string, kind: string, name: string] {
    return [scopeOf(id), 'Gateway', registry.get(id)?.name ?? id]
  }

  function scopeOf(id: string): string {
    const row = registry.get(id)
    return row ? `${row.org}/${row.workspace}` : ''
  }

  function stateOf(id: string): State {
    let state = states.get(id)
    if (!state) {
      state = {
        servers: new Map(),
        toldInventories: new Map(),
        activeSessions: 0,
        memoryRssBytes: undefined,
        connectedAt: undefined,
        lastSeen: 0,
        duplicateSince: undefined,
      }
      states.set(id, state)
    }
    return state
  }

  function isoNow(): string {
    return new Date(clock.now()).toISOString()
  }
}

const transitionEvents = {
  online: { reason: 'Online', warning: false, message: 'connected' },
  late: { reason: 'Late', warning: true, message: 'silent for more than two and a half heartbeats' },
  offline: { reason: 'Offline', warning: true, message: 'not connected any more; it goes on serving what it has' },
  stopped: { reason: 'Stopped', warning: false, message: 'its agent was stopped' },
  revoked: { reason: 'Revoked', warning: true, message: 'its credential was revoked' },
  unknown: undefined,
  never_seen: undefined,
} satisfies Record<ConnectionState, GatewayEvent | undefined>

const duplicateEvent: GatewayEvent = {
  reason: 'Duplicate',
  warning: true,
  message: 'two processes present the same identity: a state dir was copied; enroll one of them anew (--re-enroll)',
}

export const isConnected = (state: ConnectionState): boolean => state === 'online' || state === 'late'

function columnsOf(row: GatewayRow): GatewayColumns {
  const {
    connection,
    connectionChangedAt,
    lastSeenAt,
    description,
    descriptionHash,
    sessionEpoch,
    bootId,
    appliedHash,
    lkgHash,
    highestGeneration,
  } = row
  return {
    connection,
    connectionChangedAt,
    lastSeenAt,
    description,
    descriptionHash,
    sessionEpoch,
    bootId,
    appliedHash,
    lkgHash,
    highestGeneration,
  }
}
