import { McpgError } from '@mcpg/proto/errors'
import type { AuditEntry, AuditFilter, AuditQuery } from '@mcpg/proto/rest/audit'
import type { Db, GatewayAuditRow } from '../db/db.ts'
import { orgColumn, type StoredAudit } from './chain.ts'
import { isOwnAction, restOf } from './gateway-event.ts'

const portion = 500

/** What a gateway is called, by its id; undefined for one that is gone. */
export type GatewayNameOf = (gatewayId: string) => string | undefined

/** Reads the trail of one organization (`''`: what belongs to none). */
export function auditQueries({ db, nameOf }: { db: Pick<Db, 'read'>; nameOf: GatewayNameOf }) {
  return { page, entries }

  /** Newest first. */
  async function page(org: string, { limit, cursor, ...filter }: AuditQuery): Promise<{ items: AuditEntry[]; nextCursor?: string }> {
    const after = cursor === undefined ? null : readCursor(cursor)
    const found = await both(org, filter, after, 'desc', limit + 1)
    const items = found.slice(0, limit)
    const last = items.at(-1)
    return { items, ...(found.length > limit && last ? { nextCursor: writeCursor(last) } : {}) }
  }

  /** Oldest first, in portions. */
  async function* entries(org: string, filter: AuditFilter): AsyncGenerator<AuditEntry[]> {
    let after: Position | null = null
    for (;;) {
      const found: AuditEntry[] = await both(org, filter, after, 'asc', portion)
      if (found.length > 0) yield found
      const last = found.at(-1)
      if (!last || found.length < portion) return
      after = last
    }
  }

  /** What was done here and what gateways saw, in one order. */
  async function both(org: string, filter: AuditFilter, after: Position | null, order: 'asc' | 'desc', take: number) {
    const side = order === 'desc' ? 'lt' : 'gt'
    const beyondAfter = after ? [beyond(after, side)] : []
    const orderBy = [{ at: order }, { id: order }]
    const { origin, session } = filter
    const own =
      origin === 'gateways' || session !== undefined
        ? []
        : await db.read.audit.findMany({ where: { AND: [whereOf(org, filter), ...beyondAfter] }, orderBy, take })
    const seen =
      origin === 'control-plane' || org === ''
        ? []
        : await db.read.gatewayAudit.findMany({ where: { AND: [whereSeen(org, filter), ...beyondAfter] }, orderBy, take })
    const shown = own.map((row) => named(entryOf(row)))
    if (seen.length === 0) return shown
    const sign = order === 'desc' ? -1 : 1
    const all = [...shown, ...seen.map(seenEntryOf)]
    all.sort((one, other) => sign * (one.at < other.at ? -1 : one.at > other.at ? 1 : one.id < other.id ? -1 : 1))
    return all.slice(0, take)
  }

  function named(entry: AuditEntry): AuditEntry {
    const actorName = entry.actorKind === 'gateway' ? nameOf(entry.actor) : undefined
    return actorName === undefined ? entry : { ...entry, actorName }
  }
}

type Position = { at: string; id: string }

const beyond = ({ at, id }: Position, side: 'lt' | 'gt') => ({ OR: [{ at: { [side]: at } }, { at, id: { [side]: id } }] })

function whereOf(org: string, { target, ...filter }: AuditFilter) {
  return { org: orgColumn(org), ...sharedBy(filter), ...(target === undefined ? {} : targetOf(target)) }
}

function whereSeen(org: string, { target, session, ...filter }: AuditFilter) {
  return { org, ...sharedBy(filter), ...(session === undefined ? {} : { session }), ...(target === undefined ? {} : seenTarget(target)) }
}

/** What both kinds of rows have. */
export function sharedBy({ actor, action, requestId, since, until }: Omit<AuditFilter, 'target' | 'session' | 'origin'>) {
  return {
    ...(actor === undefined ? {} : { actor: matching(actor) }),
    ...(action === undefined ? {} : { action: matching(action) }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(since === undefined && until === undefined
      ? {}
      : { at: { ...(since === undefined ? {} : { gte: utc(since) }), ...(until === undefined ? {} : { lt: utc(until) }) } }),
  }
}

const matching = (text: string) => (text.endsWith('*') ? { startsWith: text.slice(0, -1) } : text)
const utc = (time: string) => new Date(time).toISOString()

function targetOf(target: string) {
  const slash = target.indexOf('/')
  if (slash < 0) return { name: target }
  const [kind, name] = [target.slice(0, slash), target.slice(slash + 1)]
  // Rows have the kind as it is written in manifests, people type it small.
  const spellings = [kind, kind.charAt(0).toUpperCase() + kind.slice(1)]
  return { kind: { in: spellings }, ...(name === '' ? {} : { name }) }
}

/** `server/name` is whatever was called there, `tool/name` (or resource, prompt) what is called so, a bare name both. */
function seenTarget(target: string) {
  const slash = target.indexOf('/')
  if (slash < 0) return { OR: [{ server: target }, { target }] }
  const [kind, name] = [target.slice(0, slash).toLowerCase(), target.slice(slash + 1)]
  if (kind === 'server') return name === '' ? {} : { server: name }
  if (kind === 'gateway') return name === '' ? {} : { gateway: name }
  return { action: { startsWith: `${kind}.` }, ...(name === '' ? {} : { target: name }) }
}

const writeCursor = ({ at, id }: Position): string => Buffer.from(JSON.stringify([at, id])).toString('base64url')

function readCursor(cursor: string): Position {
  try {
    const [at, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (typeof at === 'string' && typeof id === 'string') return { at, id }
  } catch {
    // Said below.
  }
  throw new McpgError('invalid', 'cursor_unusable', 'The cursor is not one of ours.', {
    violations: [{ pointer: '/querystring/cursor', detail: 'is not one of ours' }],
    hint: 'Begin the list again without a cursor.',
  })
}

/** Columns that say nothing are left out. */
function entryOf({ detail, ...row }: StoredAudit): AuditEntry {
  const told = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as unknown as Omit<AuditEntry, 'detail'>
  return { ...told, ...(detail === null ? {} : { detail: JSON.parse(detail) as Record<string, unknown> }) }
}

function seenEntryOf(row: Omit<GatewayAuditRow, 'seq' | 'bytes'> & { seq: bigint; bytes: Uint8Array }): AuditEntry {
  const { id, at, org, workspace, gateway, actor, verified, action, target, session, client, outcome, requestId, hash } = row
  const { detail, ...rest } = restOf(row.bytes)
  return {
    id,
    at,
    org,
    workspace,
    gateway,
    actor,
    ...(isOwnAction(action) ? { actorKind: 'gateway', actorName: gateway } : { actorKind: 'client' }),
    verified,
    action,
    ...objectOf(row),
    ...rest,
    ...(session !== null && { session }),
    ...(requestId !== null && { requestId }),
    detail: { ...(target !== null && { target }), ...(client !== null && { client }), outcome, ...detail },
    seq: Number(row.seq),
    hash,
  }
}

function objectOf({ action, gateway, server }: Pick<GatewayAuditRow, 'action' | 'gateway' | 'server'>): Pick<AuditEntry, 'kind' | 'name'> {
  if (server !== null) return { kind: 'Server', name: server }
  return action.startsWith('config.') ? { kind: 'Gateway', name: gateway } : {}
}
