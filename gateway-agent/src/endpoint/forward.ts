import type { Asking } from './asking/asking.ts'
import type { Incoming, Performer } from './perform.ts'
import { unavailableText, type Route, type Routed, type Target } from './target.ts'

export type Forward = ReturnType<typeof forwarder>

/** Sends requests to servers and their answers back; the hot path. Clients that can be asked take the longer way of `asking`. */
export function forwarder({ performer, asking }: { performer: Performer; asking: Asking }) {
  return { forward }

  function forward(incoming: Incoming, target: Target): Promise<void> | void {
    if (incoming.params['requestState'] !== undefined && asking.resume(incoming, target)) return
    // Routing rewrites names in the request; what a retry is compared with is the request as it came.
    const bound = incoming.declared === undefined ? undefined : asking.bound(incoming, target)
    const routed = target.route(incoming.method, incoming.params, () => asking.viewer(incoming))
    return routed instanceof Promise ? routed.then((route) => follow(incoming, route, bound)) : follow(incoming, routed, bound)
  }

  function follow(incoming: Incoming, routed: Routed, bound: Buffer | undefined): Promise<void> | void {
    if ('failure' in routed) return incoming.reply.error(routed.failure)
    if ('unavailable' in routed) return performer.refuse(incoming, routed.unavailable)
    const { sessions } = routed.book.server.config
    if (bound !== undefined || sessions === 'session' || routed.params['requestState'] !== undefined)
      return asking.send(incoming, routed, bound)
    return send(incoming, routed)
  }

  function send(incoming: Incoming, route: Route): Promise<void> | void {
    const { book } = route
    const slot = book.server.acquire()
    if ('unavailable' in slot) return performer.refuse(incoming, unavailableText(book.name, slot.unavailable))
    return performer.perform(incoming, route, slot)
  }
}
