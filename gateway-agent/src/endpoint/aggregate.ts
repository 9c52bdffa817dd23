import type { Timers } from '@mcpg/core/timers'
import type { Era } from '../mcp/connection.ts'
import { isObject, type Implementation, type Params } from '../mcp/protocol.ts'
import { classOf } from './asking/declared.ts'
import type { Viewer } from './asking/viewer.ts'
import { exposedKey, type Catalog, type Indexes } from './catalog.ts'
import { listResult, paged, type Pages } from './list-pages.ts'
import { keyOf, keyText, type Definition, type ListKind } from './lists.ts'
import type { CacheHint } from './listing.ts'
import type { ServerBook } from './server-book.ts'
import { unavailableText, unknownServer, type Routed, type Target } from './target.ts'
import { uriRewriter } from './uri-rewriter.ts'

const maxInstructionsBytes = 8 * 1024
/** Lists kept as pages: four kinds, by what clients declare. */
const maxPages = 64
/** What only some clients see is first read in a process that may have to be started. */
const firstViewMs = 10_000

type AskedViewer = () => Viewer | undefined

/** `/mcp`: every routed server at once, tools and prompts as `server__name`, resources under their own URIs. */
export function aggregate({
  catalog,
  timers,
  serverInfo,
  gatewayName,
}: {
  catalog: Catalog
  timers: Timers
  serverInfo: Implementation
  gatewayName: string
}): Target {
  const pagesOf = new WeakMap<Indexes, Map<string, Pages>>()
  const rewriterOf = uriRewriter(catalog)
  return {
    path: '/mcp',
    covers: () => true,
    exposedUri: (server, uri) => catalog.index().uris.exposed(server, uri),
    facts: async (client) => ({ serverInfo, capabilities: capabilities(client), instructions: instructions() }),
    list,
    route,
    books: () => catalog.books(),
  }

  async function list(kind: ListKind, cursor: unknown, client: Era, viewer?: Viewer) {
    const books = catalog.books()
    await catalog.fresh(
      books.map((book) => book.listsFor(viewer)[kind]),
      timers.listWait,
    )
    const stale = books.filter(({ lists }) => lists[kind].isKnown() && !lists[kind].isFresh()).map(({ name }) => name)
    return listResult({ kind, pages: pages(kind, books, viewer), hint: lowestHint(kind, books), serverInfo, stale }, cursor, client)
  }

  function pages(kind: ListKind, books: readonly ServerBook[], viewer: Viewer | undefined): Pages {
    const index = catalog.index()
    const key = viewer === undefined ? kind : `${kind} ${classOf(viewer.declared)}`
    let known = pagesOf.get(index)
    if (!known) pagesOf.set(index, (known = new Map<string, Pages>()))
    let of = known.get(key)
    if (!of) known.set(key, (of = paged(books.flatMap((book) => exposed(kind, book, index, viewer)))))
    if (known.size > maxPages) for (const oldest of known.keys()) return (known.delete(oldest), of)
    return of
  }

  function exposed(kind: ListKind, book: ServerBook, { uris }: Indexes, viewer: Viewer | undefined): Definition[] {
    const server = book.name
    const items = book.listsFor(viewer)[kind].items() ?? []
    return items.map((definition) => ({ ...definition, [keyOf[kind]]: exposedKey(kind, server, keyText(kind, definition), uris) }))
  }

  function route(method: string, params: Params, viewer?: AskedViewer): Routed | Promise<Routed> {
    if (method === 'tools/call') return named('tools', params, 'tool', viewer)
    if (method === 'prompts/get') return named('prompts', params, 'prompt', viewer)
    if (method === 'completion/complete') return completion(params)
    return resource(params)
  }

  function named(kind: 'tools' | 'prompts', params: Params, noun: string, viewer?: AskedViewer): Routed | Promise<Routed> {
    const asked = String(params['name'])
    const found = catalog.index()[kind].get(asked)
    const book = found && catalog.book(found.server)
    if (!found || !book) return unlisted(kind, params, noun, viewer?.())
    params['name'] = found.name
    return { book, params, rewrite: rewriterOf(book.name) }
  }

  /** Perhaps new, perhaps of a server whose list could never be read; only the second is asked without being sure. */
  async function unlisted(kind: 'tools' | 'prompts', params: Params, noun: string, viewer: Viewer | undefined): Promise<Routed> {
    const asked = String(params['name'])
    const split = asked.indexOf('__')
    const book = split > 0 ? catalog.book(asked.slice(0, split)) : undefined
    const unknown: Routed = { failure: { code: -32602, message: `Unknown ${noun}: ${asked}` } }
    if (!book) return unknown
    if (!book.connection() && !book.lists[kind].isKnown()) return { unavailable: unavailableText(book.name, book.unavailable()) }
    const seen = book.listsFor(viewer)[kind]
    await catalog.fresh([book.lists[kind], seen], seen === book.lists[kind] ? timers.listWait : firstViewMs)
    const found = catalog.index()[kind].get(asked)
    if (!found && book.lists[kind].isKnown()) return unknown
    params['name'] = found?.name ?? asked.slice(split + 2)
    return { book, params, rewrite: rewriterOf(book.name) }
  }

  function completion(params: Params): Routed | Promise<Routed> {
    const ref = params['ref']
    if (!isObject(ref)) return { failure: { code: -32602, message: 'completion/complete needs a ref.' } }
    if (ref['type'] !== 'ref/prompt') {
      const routed = resource(ref)
      return 'book' in routed ? { book: routed.book, params: { ...params, ref: routed.params } } : routed
    }
    const routed = named('prompts', ref, 'prompt')
    const withRef = (one: Routed): Routed => ('book' in one ? { book: one.book, params } : one)
    return routed instanceof Promise ? routed.then(withRef) : withRef(routed)
  }

  function resource(params: Params): Routed {
    const asked = String(params['uri'])
    const seenAt = catalog.serverOfSeen(asked)
    const found = catalog.index().uris.route(asked) ?? (seenAt === undefined ? undefined : { server: seenAt, uri: asked })
    if (!found) return { failure: { code: -32602, message: `No server here serves the resource ${asked}.`, data: { uri: asked } } }
    const book = catalog.book(found.server)
    if (!book) return { failure: unknownServer(found.server) }
    params['uri'] = found.uri
    return { book, params, rewrite: rewriterOf(book.name) }
  }

  /** Servers come and go while a client stays, so the three lists are declared whatever runs now. */
  function capabilities(client: Era): Params {
    const has = (name: string) => catalog.books().some((book) => isObject(book.facts()?.capabilities[name]))
    return {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      ...(has('completions') ? { completions: {} } : {}),
      ...(client === 'legacy' || has('logging') ? { logging: {} } : {}),
    }
  }

  function instructions(): string {
    const books = catalog.books()
    const own = `${gatewayName} serves ${books.length === 1 ? 'one MCP server' : `${books.length} MCP servers`}; tools and prompts are named server__name.`
    const theirs = books.flatMap((book) => {
      const text = book.facts()?.instructions?.trim()
      return text ? [`## ${book.name}\n${text}`] : []
    })
    return cut([own, ...theirs].join('\n\n'), maxInstructionsBytes)
  }
}

/** A list may be kept only as long and shown only as widely as its strictest part. */
function lowestHint(kind: ListKind, books: readonly ServerBook[]): CacheHint {
  const hints = books.map((book) => (book.facts()?.era === 'modern' ? book.lists[kind].hint() : undefined))
  if (hints.length === 0 || hints.includes(undefined)) return { ttlMs: 0, cacheScope: 'private' }
  const all = hints as CacheHint[]
  return {
    ttlMs: Math.min(...all.map(({ ttlMs }) => ttlMs)),
    cacheScope: all.every(({ cacheScope }) => cacheScope === 'public') ? 'public' : 'private',
  }
}

/** At most so many bytes of UTF-8, never half a character. */
function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  return bytes.length <= maxBytes ? text : new TextDecoder().decode(bytes.subarray(0, maxBytes)).replace(/\uFFFD+$/, '')
}
