import { createHash } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import { redact } from '@mcpg/core/redact'
import type { Changes } from '../changes/changes.ts'
import type { Db, EventRow } from '../db/db.ts'
import { removeInPortions } from '../db/portions.ts'
import type { Writes } from '../gateways/writes.ts'
import type { Chore } from '../keeper.ts'
import { turn } from '../turns.ts'
import { eventResource } from './event-resource.ts'

const keptMs = 24 * 3_600_000
/** In memory, of all workspaces: the newest. A fleet that breaks at once tells of ten thousand gateways. */
const maxEvents = 20_000
/** Of one gateway: one that tells of ever new things must not push out what others tell. */
const maxPerGateway = 1_000
const maxMessage = 1024

/** Something that happened to an object. `count` times, now unless `at` says when last (RFC 3339). */
export type Happening = {
  scope: { org: string; workspace: string; environment?: string | undefined }
  kind: string
  name: string
  /** CamelCase. */
  reason: string
  warning: boolean
  message: string
  server?: string | undefined
  gateway?: string | undefined
  count?: number
  at?: string
}

export type Tell = (what: Happening) => void
export type Events = ReturnType<typeof objectEvents>

/**
 * Object events: what happened again to the same object for the same reason on the same gateway counts up one row. They live in memory
 * and are written together, so a report of a gateway costs no statement of its own.
 */
export function objectEvents({
  db,
  writes,
  changes,
  clock,
}: {
  db: Pick<Db, 'read' | 'write'>
  writes: Pick<Writes, 'put'>
  changes: Pick<Changes, 'publish' | 'status'>
  clock: Clock
}) {
  /** In the order in which they last happened. */
  const rows = new Map<string, EventRow>()
  const byName = new Map<string, EventRow>()
  const perGateway = new Map<string, number>()
  return {
    load,
    tell,
    listIn,
    find: (scope: string, name: string) => byName.get(`${scope}/${name}`),
    chore: { name: 'object events', run: removeOld } satisfies Chore,
  }

  async function load(): Promise<void> {
    const stored = await db.read.event.findMany({ where: { lastAt: { gte: oldest() } }, orderBy: { lastAt: 'desc' }, take: maxEvents })
    for (const row of stored.toReversed()) {
      keep(row)
      await turn()
    }
  }

  function tell({ scope, count = 1, at = new Date(clock.now()).toISOString(), ...what }: Happening): void {
    const key = `${scope.org}/${scope.workspace}`
    const id = idOf(key, what)
    const before = rows.get(id)
    if (!before && (perGateway.get(gatewayOf({ scope: key, gateway: what.gateway ?? null })) ?? 0) >= maxPerGateway) return
    const message = redact(what.message).slice(0, maxMessage)
    const row: EventRow = {
      id,
      scope: key,
      environment: scope.environment ?? null,
      kind: what.kind,
      name: what.name,
      reason: what.reason,
      warning: what.warning,
      message,
      server: what.server ?? null,
      gateway: what.gateway ?? null,
      count: (before?.count ?? 0) + count,
      firstAt: before?.firstAt ?? at,
      lastAt: before && before.lastAt > at ? before.lastAt : at,
    }
    if (before) drop(before)
    keep(row)
    writes.put(`event/${id}`, { op: 'event', row })
    const object = eventResource(row)
    if (before) changes.status(key, 'Event', object.metadata.name)
    else changes.publish({ type: 'ADDED', scope: key, kind: 'Event', name: object.metadata.name, object })
    makeRoom()
  }

  function makeRoom(): void {
    const eldest = rows.size > maxEvents ? rows.values().next().value : undefined
    if (!eldest) return
    writes.put(`event/${eldest.id}`, { op: 'eventGone', id: eldest.id })
    forget(eldest)
  }

  function* listIn(scope: string): Generator<EventRow> {
    for (const row of rows.values()) if (row.scope === scope) yield row
  }

  function keep(row: EventRow): void {
    rows.set(row.id, row)
    byName.set(nameKey(row), row)
    count(row, 1)
  }

  function drop(row: EventRow): void {
    rows.delete(row.id)
    byName.delete(nameKey(row))
    count(row, -1)
  }

  function count(row: EventRow, by: number): void {
    if (row.gateway === null) return
    const left = (perGateway.get(gatewayOf(row)) ?? 0) + by
    if (left > 0) perGateway.set(gatewayOf(row), left)
    else perGateway.delete(gatewayOf(row))
  }

  async function removeOld(stopping: AbortSignal): Promise<void> {
    const before = oldest()
    for (const row of Array.from(rows.values())) {
      if (row.lastAt < before) forget(row)
      await turn()
    }
    await removeInPortions(db, stopping, (tx, limit) => tx.event.deleteMany({ where: { lastAt: { lt: before } }, limit }))
  }

  function forget(row: EventRow): void {
    drop(row)
    const object = eventResource(row)
    changes.publish({ type: 'DELETED', scope: row.scope, kind: 'Event', name: object.metadata.name, object })
  }

  function oldest(): string {
    return new Date(clock.now() - keptMs).toISOString()
  }
}

const gatewayOf = ({ scope, gateway }: Pick<EventRow, 'scope' | 'gateway'>): string => `${scope}/${gateway ?? ''}`
const nameKey = (row: EventRow): string => `${row.scope}/${eventResource(row).metadata.name}`

function idOf(scope: string, { kind, name, reason, gateway = '' }: Omit<Happening, 'scope'>): string {
  return createHash('sha256').update([scope, kind, name, reason, gateway].join('\0')).digest('hex').slice(0, 32)
}
