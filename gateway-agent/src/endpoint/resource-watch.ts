import type { McpFailure, McpOutcome } from '../mcp/connection.ts'
import type { Params } from '../mcp/protocol.ts'
import type { Catalogue } from './catalogue.ts'
import type { ServerBook } from './server-book.ts'

type Request = (book: ServerBook, method: string, params: Params) => Promise<McpOutcome>
/** Whoever wants to hear of a resource; told the server and its own URI. */
export type Watcher = { onUpdated(server: string, uri: string): void }

export type ResourceWatch = ReturnType<typeof resourceWatch>

/** One subscription at the server for however many clients watch the same resource; made again when the server comes back. */
export function resourceWatch({ catalogue, request }: { catalogue: Catalogue; request: Request }) {
  /** By server, then by the URI as the server knows it. */
  const watched = new Map<string, Map<string, Set<Watcher>>>()
  const unsubscribe = catalogue.onEvent((event) => {
    if (event.type === 'resourceUpdated') updated(event.server, event.uri)
    else if (event.type === 'connected')
      for (const uri of watched.get(event.server)?.keys() ?? []) ask(event.server, 'resources/subscribe', uri)
  })
  return { watch, unwatch, unwatchAll, stop: unsubscribe }

  /** Null when it is watched; the server's refusal otherwise. */
  async function watch(book: ServerBook, uri: string, watcher: Watcher): Promise<McpFailure | null> {
    const uris = watched.get(book.name) ?? new Map<string, Set<Watcher>>()
    watched.set(book.name, uris)
    const watchers = uris.get(uri)
    if (watchers) {
      watchers.add(watcher)
      return null
    }
    uris.set(uri, new Set([watcher]))
    const outcome = await request(book, 'resources/subscribe', { uri })
    if (!('error' in outcome)) return null
    uris.delete(uri)
    return outcome.error
  }

  function unwatch(server: string, uri: string, watcher: Watcher): void {
    const watchers = watched.get(server)?.get(uri)
    if (!watchers?.delete(watcher) || watchers.size > 0) return
    watched.get(server)?.delete(uri)
    ask(server, 'resources/unsubscribe', uri)
  }

  function unwatchAll(watcher: Watcher): void {
    for (const [server, uris] of watched) for (const uri of uris.keys()) unwatch(server, uri, watcher)
  }

  function ask(server: string, method: string, uri: string): void {
    const book = catalogue.book(server)
    if (book?.connection()) void request(book, method, { uri })
  }

  /** A server may name a part of what was subscribed. */
  function updated(server: string, uri: string): void {
    for (const [of, watchers] of watched.get(server) ?? []) {
      if (uri === of || uri.startsWith(of.endsWith('/') ? of : `${of}/`)) for (const watcher of watchers) watcher.onUpdated(server, uri)
    }
  }
}
