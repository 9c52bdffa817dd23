import { randomBytes } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Shown } from '../access/access.ts'
import type { From, Witness } from '../audit/witness.ts'
import type { Params } from '../mcp/protocol.ts'
import type { Timers } from '@mcpg/core/timers'
import type { SessionAsks } from './asking/session-asks.ts'
import { concerns } from './concerns.ts'
import type { Catalog, CatalogEvent } from './catalog.ts'
import { admits } from './log-levels.ts'
import type { ListKind } from './lists.ts'
import type { ResourceWatch } from './resource-watch.ts'
import { tell, type Session } from './session.ts'

const sweepMs = 30_000
const notificationOf: Record<ListKind, string> = {
  tools: 'notifications/tools/list_changed',
  prompts: 'notifications/prompts/list_changed',
  resources: 'notifications/resources/list_changed',
  resourceTemplates: 'notifications/resources/list_changed',
}

export type Sessions = ReturnType<typeof sessions>

/** All sessions of legacy clients: opened, found, told of changes, and ended when nobody uses them. */
export function sessions({
  catalog,
  watch,
  asks,
  timers,
  clock,
  maxSessions,
  witness,
}: {
  catalog: Catalog
  watch: ResourceWatch
  asks: SessionAsks
  timers: Timers
  clock: Clock
  maxSessions: number
  witness: Pick<Witness, 'session'>
}) {
  const open = new Map<string, Session>()
  const unsubscribe = catalog.onEvent(onEvent)
  let cancelSweep: (() => void) | undefined
  return { create, find, close, closeUnless, shown, count: () => open.size, stop }

  /** Null when there are too many. */
  function create(
    { target, principal, shown: first }: Pick<Session, 'target' | 'principal' | 'shown'>,
    protocolVersion: string,
    declared: Params | undefined,
    from: From,
  ): Session | null {
    if (open.size >= maxSessions) sweepNow()
    if (open.size >= maxSessions) return null
    const now = clock.monotonic()
    const session: Session = {
      id: randomBytes(24).toString('base64url'),
      target,
      principal,
      shown: first,
      protocolVersion,
      from,
      level: undefined,
      declared,
      asks: new Map(),
      legs: new Set(),
      calls: new Map(),
      streams: new Set(),
      watcher: { onUpdated: (server, uri) => tell(session, 'notifications/resources/updated', { uri: target.exposedUri(server, uri) }) },
      createdAt: now,
      usedAt: now,
    }
    open.set(session.id, session)
    witness.session('opened', { ...session, path: target.path })
    cancelSweep ??= clock.after(Math.min(sweepMs, timers.sessionIdle), sweep)
    return session
  }

  /** A session belongs to the path it was opened on, and to whoever opened it. */
  function find(id: string, { target, principal, shown: again }: Pick<Session, 'target' | 'principal' | 'shown'>): Session | undefined {
    const session = open.get(id)
    if (!session || session.target !== target || session.principal !== principal || isExpired(session)) return undefined
    session.usedAt = clock.monotonic()
    if (session.shown && again && again.until > session.shown.until) session.shown = again
    return session
  }

  function close(session: Session): void {
    open.delete(session.id)
    witness.session('closed', { ...session, path: session.target.path })
    for (const call of session.calls.values()) call.cancel?.('The client ended its session.')
    for (const stream of session.streams) stream.end()
    watch.unwatchAll(session.watcher)
    asks.abandon(session)
    for (const { server } of catalog.books()) server.own.end(session.id)
  }

  /** Of everybody who had to show something. */
  function shown(): Shown[] {
    return [...open.values()].flatMap((session) => session.shown ?? [])
  }

  /** Whose shown things no longer hold has no session any more. */
  function closeUnless(holds: (shown: Shown) => boolean): void {
    for (const session of open.values()) if (session.shown && !holds(session.shown)) close(session)
  }

  function isExpired(session: Session): boolean {
    const now = clock.monotonic()
    const isIdle =
      session.streams.size === 0 && session.calls.size === 0 && session.asks.size === 0 && now - session.usedAt >= timers.sessionIdle
    return isIdle || now - session.createdAt >= timers.sessionMax
  }

  function sweep(): void {
    sweepNow()
    cancelSweep = open.size > 0 ? clock.after(Math.min(sweepMs, timers.sessionIdle), sweep) : undefined
  }

  function sweepNow(): void {
    for (const session of open.values()) if (isExpired(session)) close(session)
  }

  function onEvent(event: CatalogEvent): void {
    if (event.type === 'listChanged' || event.type === 'pathChanged') {
      const methods = new Set(event.kinds.map((kind) => notificationOf[kind]))
      for (const session of open.values())
        if (concerns(event, session.target)) for (const method of methods) tell(session, method, undefined)
    } else if (event.type === 'message') {
      // What a server logs between calls may be about the last caller: with several clients it reaches none of them.
      const [session, ...others] = [...open.values()].filter(({ target }) => target.covers(event.server))
      const isWanted = session?.level === undefined || admits(session.level, event.params['level'])
      if (session && others.length === 0 && isWanted) tell(session, 'notifications/message', event.params)
    }
  }

  function stop(): void {
    unsubscribe()
    cancelSweep?.()
    for (const session of open.values()) close(session)
  }
}
