import { createHash } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { exposedName } from '@mcpg/proto/exposed-name'
import type { Servers } from '../servers/supervision.ts'
import type { Params } from '../mcp/protocol.ts'
import type { Listing } from './listing.ts'
import { keyText, listKinds, type Definition, type ListKind } from './lists.ts'
import { serverBook, type BookEvents, type ServerBook } from './server-book.ts'
import { uriRoutes, type UriRoutes } from './uri-routes.ts'

export type ItemKind = 'tool' | 'prompt' | 'resource' | 'resource_template'
export type InventoryItem = { kind: ItemKind; name: string; exposedName: string; definition: Definition }
/** What a server offers, as it is reported to the control plane. */
export type Inventory = { serverInfoName: string; serverInfoVersion: string; instructions: string | undefined; items: InventoryItem[] }

export type CatalogEvent =
  | { type: 'listChanged'; server: string; kinds: ListKind[] }
  | { type: 'resourceUpdated'; server: string; uri: string; params: Params }
  | { type: 'message'; server: string; params: Params }
  | { type: 'connected'; server: string }
  /** What one path of the endpoint shows is another, whatever its servers list. */
  | { type: 'pathChanged'; path: string; kinds: ListKind[] }

export type Catalog = ReturnType<typeof catalogOf>

const itemKinds: Record<ListKind, ItemKind> = {
  tools: 'tool',
  prompts: 'prompt',
  resources: 'resource',
  resourceTemplates: 'resource_template',
}
/** URIs that tools returned without listing them; the oldest is forgotten first. */
const maxSeenUris = 10_000

/** What all routed servers offer, read ahead and kept. Nothing here waits for a server but `fresh`, and that for a bounded time. */
export function catalogOf({ servers, timers, clock, log }: { servers: Servers; timers: Timers; clock: Clock; log: Log }) {
  const books = new Map<string, ServerBook>()
  const inventoryListeners = new Set<(server: string) => void>()
  const listeners = new Set<(event: CatalogEvent) => void>()
  const seen = new Map<string, string>()
  let unsubscribe = () => {}
  let indexes: Indexes | undefined
  const events: BookEvents = {
    onListed: (book, kind, announced) => {
      indexes = undefined
      for (const listener of inventoryListeners) listener(book.name)
      if (!announced) emit({ type: 'listChanged', server: book.name, kinds: [kind] })
    },
    onAnnounced: (book, kinds) => emit({ type: 'listChanged', server: book.name, kinds }),
    onConnected: (book) => {
      for (const listener of inventoryListeners) listener(book.name)
      emit({ type: 'connected', server: book.name })
    },
    onNotification: (book, method, params) => {
      if (method === 'notifications/resources/updated')
        emit({ type: 'resourceUpdated', server: book.name, uri: String(params['uri']), params })
      else if (method === 'notifications/message') emit({ type: 'message', server: book.name, params })
    },
  }
  return {
    name: 'catalog',
    start,
    stop,
    book: (name: string) => books.get(name),
    books: sorted,
    index,
    fresh,
    onEvent,
    /** Somebody else's news for those who listen to the catalog. */
    tell: emit,
    onInventory,
    inventory,
    remember,
    serverOfSeen: (uri: string) => seen.get(uri),
  }

  async function start(): Promise<void> {
    unsubscribe = servers.onRouting(sync)
    sync()
  }

  async function stop(): Promise<void> {
    unsubscribe()
    for (const book of books.values()) book.close()
    books.clear()
  }

  function sync(): void {
    // What was stopped on purpose offers nothing, where a server that is merely away keeps what it has listed.
    const routed = new Map([...servers.routed()].filter(([, { config }]) => config.state === 'running'))
    const removed = [...books.keys()].filter((name) => !routed.has(name))
    for (const name of removed) {
      books.get(name)?.close()
      books.delete(name)
    }
    for (const [name, server] of routed) {
      const before = books.get(name)
      if (before?.server === server) continue
      before?.close()
      books.set(name, serverBook(server, { timers, clock, events, before }))
    }
    indexes = undefined
    for (const name of removed) emit({ type: 'listChanged', server: name, kinds: [...listKinds] })
  }

  /** By name, so that lists have an order that does not depend on who answered first. */
  function sorted(): ServerBook[] {
    return [...books.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Waits at most `waitMs` until the lists of this kind are fresh; one silent server does not make it longer for the others. */
  async function fresh(of: readonly Listing[], waitMs: number): Promise<void> {
    const stale = of.filter((one) => !one.isFresh()).map((one) => one.refresh())
    if (stale.length === 0) return
    let cancel = () => {}
    const patience = new Promise<void>((resolve) => (cancel = clock.after(waitMs, resolve)))
    await Promise.race([Promise.all(stale), patience])
    cancel()
  }

  function emit(event: CatalogEvent): void {
    for (const listener of listeners) listener(event)
  }

  function onEvent(listener: (event: CatalogEvent) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  function onInventory(listener: (server: string) => void): () => void {
    inventoryListeners.add(listener)
    return () => inventoryListeners.delete(listener)
  }

  /** Undefined before the first handshake of the server. */
  function inventory(server: string): Inventory | undefined {
    const book = books.get(server)
    const facts = book?.facts()
    if (!book || !facts) return undefined
    const { uris } = index()
    const items = listKinds.flatMap((kind) =>
      (book.lists[kind].items() ?? []).map((definition) => {
        const name = keyText(kind, definition)
        return { kind: itemKinds[kind], name, exposedName: exposedKey(kind, server, name, uris), definition }
      }),
    )
    return { serverInfoName: facts.serverInfo.name, serverInfoVersion: facts.serverInfo.version, instructions: facts.instructions, items }
  }

  function index(): Indexes {
    if (indexes) return indexes
    indexes = indexesOf(sorted())
    for (const { uri, server, owner } of indexes.uris.collisions)
      log.warn({ uri, server, owner }, 'two servers list the same resource; the second is listed by alias')
    return indexes
  }

  /** A tool of this server returned the URI. */
  function remember(uri: string, server: string): void {
    seen.delete(uri)
    seen.set(uri, server)
    if (seen.size > maxSeenUris) for (const oldest of seen.keys()) return void seen.delete(oldest)
  }
}

export type NamedItem = { server: string; name: string }
export type Indexes = { tools: ReadonlyMap<string, NamedItem>; prompts: ReadonlyMap<string, NamedItem>; uris: UriRoutes }

type Shown = { showsTool: (server: string, tool: string) => boolean; showsOthers: (server: string) => boolean }
const everything: Shown = { showsTool: () => true, showsOthers: () => true }

/** What finds an item of these servers by the name that clients use; without what is not shown. */
export function indexesOf(books: readonly ServerBook[], { showsTool, showsOthers }: Shown = everything): Indexes {
  const named = (kind: 'tools' | 'prompts') =>
    new Map(
      books.flatMap(({ name: server, items }) =>
        items(kind).flatMap((definition) => {
          const name = keyText(kind, definition)
          const isShown = kind === 'tools' ? showsTool(server, name) : showsOthers(server)
          return !isShown ? [] : [[exposedName(server, name, sha256), { server, name }] as const]
        }),
      ),
    )
  const lists = books
    .filter(({ name }) => showsOthers(name))
    .map(({ name, items }) => ({ server: name, resources: items('resources'), templates: items('resourceTemplates') }))
  return { tools: named('tools'), prompts: named('prompts'), uris: uriRoutes(lists) }
}

/** What the aggregated endpoint calls an item of a server. */
export function exposedKey(kind: ListKind, server: string, key: string, uris: UriRoutes): string {
  if (kind === 'resources') return uris.exposed(server, key)
  if (kind === 'resourceTemplates') return uris.exposedTemplate(server, key)
  return exposedName(server, key, sha256)
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
