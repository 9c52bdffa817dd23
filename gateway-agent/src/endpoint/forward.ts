import { AuditOutcome } from '@mcpg/proto/gen/delivery'
import type { Witness } from '../audit/witness.ts'
import type { Asking } from './asking/asking.ts'
import type { Incoming, Performer } from './perform.ts'
import { metaKeys } from '../mcp/protocol.ts'
import { unavailableText, type OwnAnswer, type Route, type Routed, type Target } from './target.ts'

export type Forward = ReturnType<typeof forwarder>

/** Sends requests to servers and their answers back; the hot path. Clients that can be asked take the longer way of `asking`. */
export function forwarder({ performer, asking, witness }: { performer: Performer; asking: Asking; witness: Pick<Witness, 'watch'> }) {
  return { forward }

  function forward(asked: Incoming, target: Target): Promise<void> | void {
    const watched = witness.watch(asked, { path: target.path, sessionId: asked.session?.id ?? '' })
    const incoming = watched ? { ...asked, ...watched } : asked
    if (incoming.params['requestState'] !== undefined) {
      noteWhere(incoming, target)
      if (asking.resume(incoming, target)) return
    }
    // Routing rewrites names in the request; what a retry is compared with is the request as it came.
    const bound = incoming.declared === undefined ? undefined : asking.bound(incoming, target)
    const routed = target.route(incoming.method, incoming.params, () => asking.viewer(incoming))
    return routed instanceof Promise
      ? routed.then((route) => follow(incoming, target, route, bound))
      : follow(incoming, target, routed, bound)
  }

  function follow(incoming: Incoming, target: Target, routed: Routed, bound: Buffer | undefined): Promise<void> | void {
    note(incoming, routed)
    if ('failure' in routed) return incoming.reply.error(routed.failure)
    if ('unavailable' in routed) return performer.refuse(incoming, routed.unavailable)
    if ('answer' in routed) return own(incoming, target, routed)
    const { sessions } = routed.book.server.config
    if (bound !== undefined || sessions === 'session' || routed.params['requestState'] !== undefined)
      return asking.send(incoming, routed, bound)
    return send(incoming, routed)
  }

  /** The retry of a parked call goes where that has gone; routing rewrites names, so a copy is routed. */
  function noteWhere(incoming: Incoming, target: Target): void {
    const { name, uri } = incoming.params
    const routed = target.route(incoming.method, { ...(name !== undefined && { name }), ...(uri !== undefined && { uri }) })
    if (routed instanceof Promise) void routed.then((route) => note(incoming, route))
    else note(incoming, routed)
  }

  async function own({ era, reply }: Incoming, target: Target, { answer }: OwnAnswer): Promise<void> {
    const [facts, answered] = await Promise.all([target.facts(era), answer()])
    if ('error' in answered) return reply.error(answered.error)
    const modern = era === 'modern' && 'serverInfo' in facts
    const meta = modern ? { resultType: 'complete', _meta: { [metaKeys.serverInfo]: facts.serverInfo } } : {}
    reply.result(JSON.stringify({ ...answered.result, ...meta }))
  }

  function send(incoming: Incoming, route: Route): Promise<void> | void {
    const { book } = route
    const slot = book.server.acquire()
    if ('unavailable' in slot) return performer.refuse(incoming, unavailableText(book.name, slot.unavailable))
    return performer.perform(incoming, route, slot)
  }
}

/** Where it goes, by the names of the server; what nobody here has, or may see, is a denial. */
function note({ note: told }: Incoming, routed: Routed): void {
  if (!told) return
  if ('failure' in routed) Object.assign(told, { outcome: AuditOutcome.DENIED, reason: 'NotServedHere' })
  if (!('book' in routed)) return
  const { name, uri } = routed.params
  told.server = routed.book.name
  told.level = routed.book.server.config.auditLevel
  told.target = typeof name === 'string' ? name : typeof uri === 'string' ? uri : told.target
}
