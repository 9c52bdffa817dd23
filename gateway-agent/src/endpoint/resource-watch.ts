import type { McpFailure, McpOutcome } from '../mcp/connection.ts'
import type { Params } from '../mcp/protocol.ts'
import type { Catalog } from './catalog.ts'
import type { ServerBook } from './server-book.ts'

type Request = (book: ServerBook, method: string, params: Params) => Promise<McpOutcome>
/** Whoever wants to hear of a resource; told the server and its own URI. */
export type Watcher = { onUpdated(server: string, uri: string): void }

/** `refusal` is what the server said to the subscription all watchers share. */
type Watched = { watchers: Set<Watcher>; refusal: Promise<McpFailure | null> }

export type ResourceWatch = ReturnType<typeof resourceWatch>

/** One subscription at the server for however many clients watch the same resource; made again when the server comes back. */
export function resourceWatch({ catalog, request }: { catalog: Catalog; request: Request }) {
  /** By server, then by the URI as the server knows it. */
  const watched = new Map<string, Map<string, Watched>>()
  const unsubscribe = catalog.onEvent((event) => {
    if (event.type === 'resourceUpdated') updated(event.server, event.uri)
    else if (event.type === 'connected')
      for (const uri of watched.get(event.server)?.keys() ?? []) ask(event.server, 'resources/subscribe', uri)
  })
  return { watch, unwatch, unwatchAll, stop: unsubscribe }

  /** Null when it is watched; the server's refusal otherwise. */
  async function watch(book: ServerBook, uri: string, watcher: Watcher): Promise<McpFailure | null> {
    const uris = watched.get(book.name) ?? new Map<string, Watched>()
    watched.set(book.name, uris)
    const known = uris.get(uri) ?? { watchers: new Set<Watcher>(), refusal: subscribe(book, uri) }
    uris.set(uri, known)
    known.watchers.add(watcher)
    const refusal = await known.refusal
    if (refusal && uris.get(uri) === known) uris.delete(uri)
    return refusal
  }

  async function subscribe(book: ServerBook, uri: string): Promise<McpFailure | null> {
    const outcome = await request(book, 'resources/subscribe', { uri })
    return 'error' in outcome ? outcome.error : null
  }

  function unwatch(server: string, uri: string, watcher: Watcher): void {
    const known = watched.get(server)?.get(uri)
    if (!known?.watchers.delete(watcher) || known.watchers.size > 0) return
    watched.get(server)?.delete(uri)
    ask(server, 'resources/unsubscribe', uri)
  }

  function unwatchAll(watcher: Watcher): void {
    for (const [server, uris] of watched) for (const uri of uris.keys()) unwatch(server, uri, watcher)
  }

  function ask(server: string, method: string, uri: string): void {
    const book = catalog.book(server)
    if (book?.connection()) void request(book, method, { uri })
  }

  /** A server may name a part of what was subscribed. */
  function updated(server: string, uri: string): void {
    for (const [of, { watchers }] of watched.get(server) ?? []) {
      if (uri === of || uri.startsWith(of.endsWith('/') ? of : `${of}/`)) for (const watcher of watchers) watcher.onUpdated(server, uri)
    }
  }
}
