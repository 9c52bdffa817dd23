import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import type { RoutedServer } from '../servers/supervision.ts'
import type { McpConnection } from '../mcp/connection.ts'
import { paramHeaders, type ParamHeader } from '../mcp/param-headers.ts'
import { isObject, type Params } from '../mcp/protocol.ts'
import type { Viewer } from './asking/viewer.ts'
import { announcements } from './announcements.ts'
import { classLists } from './class-lists.ts'
import { capabilityOf, changedKinds, listKinds, type Definition, type ListKind } from './lists.ts'
import { listing, type Listing } from './listing.ts'

/** What the last handshake of a server has told; kept while it is away. */
export type ServerFacts = Pick<McpConnection, 'era' | 'protocolVersion' | 'serverInfo' | 'capabilities' | 'instructions'>

export type BookEvents = {
  /** The content of a list differs from before; `announced` when the server said so and `onAnnounced` follows. */
  onListed: (book: ServerBook, kind: ListKind, announced: boolean) => void
  /** The server says that lists changed; their content has been read again, or the server was too slow. */
  onAnnounced: (book: ServerBook, kinds: ListKind[]) => void
  /** Another conversation began. */
  onConnected: (book: ServerBook) => void
  /** What else it tells everybody: resources/updated, message. */
  onNotification: (book: ServerBook, method: string, params: Params) => void
}

export type ServerBook = {
  name: string
  server: RoutedServer
  lists: Record<ListKind, Listing>
  /** Its lists as this client sees them. */
  listsFor: (viewer: Viewer | undefined) => Record<ListKind, Listing>
  /** What anybody sees of it, in the order of the list that everybody sees. */
  items: (kind: ListKind) => Definition[]
  /** What only some clients see has to be read again. */
  changedForSome: (kinds: readonly ListKind[]) => void
  facts: () => ServerFacts | undefined
  connection: () => McpConnection | undefined
  /** Arguments of a tool that clients of the modern era repeat in headers. */
  headersOf: (tool: string) => readonly ParamHeader[]
  unavailable: () => string | undefined
  close: () => void
}

/**
 * Everything the endpoint knows about one routed server; follows its connection from one to the next. What `before`, an earlier definition
 * of the same name, has listed stays until this one has.
 */
export function serverBook(
  server: RoutedServer,
  { timers, clock, events, before }: { timers: Timers; clock: Clock; events: BookEvents; before: ServerBook | undefined },
): ServerBook {
  let connection: McpConnection | undefined
  let facts = before?.facts()
  let reason: string | undefined
  let detach = () => {}
  let headers = headersByTool(before?.lists.tools.items() ?? [])
  const book: ServerBook = {
    name: server.name,
    server,
    lists: Object.fromEntries(
      listKinds.map((kind) => [kind, listing({ kind, timers, clock, before: before?.lists[kind], onChange: () => onChange(kind) })]),
    ) as Record<ListKind, Listing>,
    listsFor: (viewer) => some.of(viewer) ?? book.lists,
    items: (kind) => [...(book.lists[kind].items() ?? []), ...some.more(kind)],
    changedForSome: (kinds) => some.invalidate(kinds),
    facts: () => facts,
    connection: () => connection,
    headersOf: (tool) => headers.get(tool) ?? [],
    unavailable: () => reason,
    close,
  }
  const some = classLists({
    server,
    base: book.lists,
    isLegacy: () => facts?.era === 'legacy',
    timers,
    clock,
    onChange: (kind) => events.onListed(book, kind, announced.isAnnouncing(kind)),
  })
  const announced = announcements({
    lists: book.lists,
    clock,
    waitMs: timers.listWait,
    onAnnounced: (kinds) => events.onAnnounced(book, kinds),
  })
  const unsubscribe = server.onConnection(sync)
  // The owner holds the book before the first event comes.
  queueMicrotask(sync)
  let closed = false
  return book

  function sync(): void {
    if (closed) return
    const slot = server.acquire()
    const next = 'connection' in slot ? slot.connection : undefined
    if ('release' in slot) slot.release()
    reason = 'unavailable' in slot ? slot.unavailable : undefined
    if (next === connection) return
    detach()
    connection = next
    if (next) attach(next)
    else for (const kind of listKinds) book.lists[kind].use(undefined)
  }

  function attach(next: McpConnection): void {
    const { era, protocolVersion, serverInfo, capabilities, instructions } = next
    facts = { era, protocolVersion, serverInfo, capabilities, instructions }
    detach = next.onNotification(onNotification)
    some.invalidate(listKinds)
    for (const kind of listKinds) {
      book.lists[kind].use(next)
      if (isObject(capabilities[capabilityOf[kind]])) void book.lists[kind].refresh()
    }
    events.onConnected(book)
  }

  function onNotification(method: string, params: Params): void {
    const kinds = changedKinds(method)
    if (!kinds) return events.onNotification(book, method, params)
    some.invalidate(kinds)
    announced.announce(kinds)
  }

  function onChange(kind: ListKind): void {
    if (kind === 'tools') headers = headersByTool(book.lists.tools.items() ?? [])
    events.onListed(book, kind, announced.isAnnouncing(kind))
  }

  function close(): void {
    closed = true
    some.close()
    announced.stop()
    unsubscribe()
    detach()
  }
}

function headersByTool(tools: readonly Definition[]): Map<string, readonly ParamHeader[]> {
  const found = tools.map((tool) => [String(tool['name']), paramHeaders(tool['inputSchema'])] as const)
  return new Map(found.filter(([, headers]) => headers.length > 0))
}
