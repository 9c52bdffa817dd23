import { metaKeys, metaOf, type Params } from '../../mcp/protocol.ts'
import type { Incoming, Performer } from '../perform.ts'
import { unavailableText, type Route, type Target } from '../target.ts'
import { cut, withoutForbidden } from './declared.ts'
import { busy, notReadable } from './parking/endings.ts'
import type { Parking } from './parking/parking.ts'
import { boundTo, type StateSeal } from './parking/state-seal.ts'
import { askInRounds } from './rounds.ts'
import type { SessionAsks } from './session-asks.ts'
import type { SessionChildren } from './session-children.ts'
import type { Viewer } from './viewer.ts'
import { callerViewer, sessionViewer } from './viewers.ts'

export type Asking = ReturnType<typeof askingWays>

type Ways = { performer: Performer; asks: SessionAsks; children: SessionChildren; parked: Parking; seal: StateSeal }

/** The ways of calls whose client can be asked something in the middle, one per pairing of eras. */
export function askingWays({ performer, asks, children, parked, seal }: Ways) {
  return { bound, send, viewer, resume: (incoming: Incoming, target: Target) => parked.resume(incoming, target) }

  /** What a retry has to be the retry of; only modern clients retry. */
  function bound({ session, caller, method, params }: Incoming, { path }: Target): Buffer {
    return session ? nothing : boundTo(caller(), path, method, params)
  }

  /** How servers show themselves to this client. */
  function viewer({ session, declared, caller }: Incoming): Viewer | undefined {
    return session ? sessionViewer(session, children) : callerViewer(declared, caller)
  }

  function send(incoming: Incoming, route: Route, request: Buffer | undefined): Promise<void> | void {
    const { forward, sessions } = route.book.server.config
    const allowed = incoming.declared && cut(incoming.declared, forward)
    const { session } = incoming
    if (route.book.facts()?.era === 'modern') {
      if (session && allowed) return inRounds(incoming, session, route, allowed)
      restrict(route.params, forward)
      return shared(incoming, route)
    }
    const state = route.params['requestState']
    if (state !== undefined) return incoming.reply.error(notReadable(seal.isOfAnother(state) ? 'unknown_key' : 'invalid_request_state'))
    if (session) return allowed || sessions === 'session' ? inOwnChild(incoming, session, route) : shared(incoming, route)
    if (allowed && request) return parked.start(incoming, request, route, allowed)
    return sessions === 'session' ? inCallersChild(incoming, route) : shared(incoming, route)
  }

  async function shared(incoming: Incoming, route: Route): Promise<void> {
    const slot = route.book.server.acquire()
    if ('unavailable' in slot) return performer.refuse(incoming, unavailableText(route.book.name, slot.unavailable))
    return performer.perform(incoming, route, slot)
  }

  async function inRounds(incoming: Incoming, session: NonNullable<Incoming['session']>, route: Route, allowed: Params): Promise<void> {
    const slot = route.book.server.acquire()
    if ('unavailable' in slot) return performer.refuse(incoming, unavailableText(route.book.name, slot.unavailable))
    const { connection } = slot
    route.params['_meta'] = { ...metaOf(route.params), [metaKeys.clientCapabilities]: allowed }
    const timeoutMs = route.book.server.config.callTimeoutMs
    const asked = { incoming, session, allowed, connection, timeoutMs, asks }
    return performer.perform(incoming, route, slot, (outcome, call) => askInRounds(asked, outcome, call))
  }

  async function inOwnChild(incoming: Incoming, session: NonNullable<Incoming['session']>, route: Route): Promise<void> {
    const { book } = route
    const lease = await children.lease(session, book)
    if (!('unavailable' in lease)) return performer.perform(children.joined(session, incoming, lease), route, lease)
    // What the session was told when it began; a server whose sessions must not mix has no such way out.
    if (lease.isFull && book.server.config.sessions !== 'session') return shared(incoming, route)
    performer.refuse(incoming, unavailableText(book.name, lease.unavailable))
  }

  /** A modern client has no session: what must not be shared between sessions is its own then. */
  async function inCallersChild(incoming: Incoming, route: Route): Promise<void> {
    const { book } = route
    const wish = { owner: incoming.caller(), belongsTo: 'caller', capabilities: {}, exclusive: false } as const
    const lease = await book.server.own.acquire(wish)
    if ('unavailable' in lease) return performer.refuse(incoming, unavailableText(book.name, lease.unavailable), lease.isFull ? busy : {})
    return performer.perform(incoming, route, lease)
  }
}

const nothing = Buffer.alloc(0)

/** What a modern server must not ask for is not declared to it. */
function restrict(params: Params, forward: Parameters<typeof withoutForbidden>[1]): void {
  const meta = metaOf(params)
  const all = meta?.[metaKeys.clientCapabilities]
  if (meta && all) params['_meta'] = { ...meta, [metaKeys.clientCapabilities]: withoutForbidden(all as Params, forward) }
}
