import type { Asking } from './asking/asking.ts'
import type { Incoming, Performer } from './perform.ts'
import { unavailableText, type Route, type Routed, type Target } from './target.ts'

export type Forward = ReturnType<typeof forwarder>

/** Sends requests to servers and their answers back; the hot path. Clients that can be asked take the longer way of `asking`. */
export function forwarder({ performer, asking }: { performer: Performer; asking: Asking }) {
  return { forward }

  function forward(incoming: Incoming, target: Target): Promise<void> | void {
    const resumed = incoming.params['requestState'] === undefined ? undefined : asking.resume(incoming, target)
    if (resumed) return
    const routed = target.route(incoming.method, incoming.params)
    return routed instanceof Promise ? routed.then((route) => follow(incoming, target, route)) : follow(incoming, target, routed)
  }

  function follow(incoming: Incoming, target: Target, routed: Routed): Promise<void> | void {
    if ('failure' in routed) return incoming.reply.error(routed.failure)
    if ('unavailable' in routed) return performer.refuse(incoming, routed.unavailable)
    const { sessions } = routed.book.server.config
    if (incoming.declared !== undefined || sessions === 'session') return asking.send(incoming, target, routed)
    return send(incoming, routed)
  }

  function send(incoming: Incoming, route: Route): Promise<void> | void {
    const { book } = route
    const slot = book.server.acquire()
    if ('unavailable' in slot) return performer.refuse(incoming, unavailableText(book.name, slot.unavailable))
    return performer.perform(incoming, route, slot)
  }
}
