import type { McpAnswer, McpAsk, McpCall, McpConnection } from '../../mcp/connection.ts'
import type { Timers } from '@mcpg/core/timers'
import { isObject, type Params } from '../../mcp/protocol.ts'
import type { Lease } from '../../servers/supervision.ts'
import { changedKinds } from '../lists.ts'
import { admits } from '../log-levels.ts'
import type { Incoming } from '../perform.ts'
import type { Reply } from '../reply.ts'
import type { ServerBook } from '../server-book.ts'
import { tell, type Session } from '../session.ts'
import { cut } from './declared.ts'
import type { SessionAsks } from './session-asks.ts'

/** One session's own process of one server, and the calls of the session in it. */
type OwnConnection = { book: ServerBook; connection: McpConnection; calls: Map<McpCall, Reply>; level: unknown }

export type SessionChildren = ReturnType<typeof sessionChildren>

/**
 * Processes (or upstream sessions) of legacy sessions that can be asked. Everything such a process says, asks or announces is its session's.
 */
export function sessionChildren({ asks, timers }: { asks: SessionAsks; timers: Timers }) {
  const known = new WeakMap<Session, Map<McpConnection, OwnConnection>>()
  return { reserve, lease, joined, setLevel }

  /** The servers that have no place for this session: they will serve it like anybody, and can ask it nothing. */
  function reserve(session: Session): string[] {
    return session.target
      .books()
      .filter((book) => wants(session, book) && !book.server.own.reserve(session.id))
      .map(({ name }) => name)
  }

  function wants({ declared }: Session, book: ServerBook): boolean {
    const { forward, sessions, state } = book.server.config
    if (state === 'stopped' || book.facts()?.era === 'modern') return false
    return sessions === 'session' || (declared !== undefined && cut(declared, forward) !== undefined)
  }

  async function lease(session: Session, book: ServerBook): Promise<Lease | { unavailable: string; isFull?: boolean }> {
    const capabilities = (session.declared && cut(session.declared, book.server.config.forward)) ?? {}
    const held = await book.server.own.acquire({
      owner: session.id,
      belongsTo: 'session',
      capabilities,
      exclusive: false,
      onAsk: (ask) => asks.ask(session, ask),
    })
    if ('unavailable' in held) return held
    const own = follow(session, book, held.connection)
    held.onAsk((ask) => answer(session, own, ask))
    return held
  }

  /** A call in a process of its session, known there while it is in flight. */
  function joined(session: Session, incoming: Incoming, { connection }: Lease): Incoming {
    const own = known.get(session)?.get(connection)
    let mine: McpCall | undefined
    return {
      ...incoming,
      started(call) {
        own?.calls.set((mine = call), incoming.reply)
        incoming.started(call)
      },
      ended() {
        if (mine) own?.calls.delete(mine)
        incoming.ended()
      },
    }
  }

  function follow(session: Session, book: ServerBook, connection: McpConnection): OwnConnection {
    const mine = known.get(session) ?? new Map<McpConnection, OwnConnection>()
    known.set(session, mine)
    const before = mine.get(connection)
    if (before) return before
    const own: OwnConnection = { book, connection, calls: new Map(), level: undefined }
    mine.set(connection, own)
    connection.onNotification((method, params) => announced(session, book, method, params))
    void connection.closed.then(() => mine.delete(connection))
    setLevelOf(own, session.level)
    return own
  }

  /** A person may take longer than a call may: while a question is open the calls it can belong to are not timed. */
  async function answer(session: Session, own: OwnConnection, ask: McpAsk): Promise<McpAnswer> {
    const { callTimeoutMs } = own.book.server.config
    const leg = [...own.calls.values()].at(-1)
    for (const call of own.calls.keys()) call.extend?.(timers.parked + callTimeoutMs)
    const answered = await asks.ask(session, ask, leg)
    for (const call of own.calls.keys()) call.extend?.(callTimeoutMs)
    return answered
  }

  function announced(session: Session, book: ServerBook, method: string, params: Params): void {
    if (method === 'notifications/message') {
      if (session.level === undefined || admits(session.level, params['level'])) tell(session, method, params)
    } else if (method === 'notifications/resources/updated') {
      tell(session, method, { ...params, uri: session.target.exposedUri(book.name, String(params['uri'])) })
    } else {
      const kinds = changedKinds(method)
      if (!kinds) return
      book.changedForSome(kinds)
      tell(session, method, undefined)
    }
  }

  function setLevel(session: Session): void {
    for (const own of known.get(session)?.values() ?? []) setLevelOf(own, session.level)
  }

  function setLevelOf(own: OwnConnection, level: Session['level']): void {
    if (level === undefined || level === own.level || !isObject(own.connection.capabilities['logging'])) return
    own.level = level
    own.connection.request({ method: 'logging/setLevel', params: { level } }).catch(() => (own.level = undefined))
  }
}
