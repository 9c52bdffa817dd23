import type { Timers } from '@mcpg/core/timers'
import type { Era } from '../mcp/connection.ts'
import { isObject, type Implementation, type Params } from '../mcp/protocol.ts'
import { classOf } from './asking/declared.ts'
import type { Viewer } from './asking/viewer.ts'
import { exposedKey, indexesOf, type Catalog, type Indexes } from './catalog.ts'
import { listResult, paged, type Pages } from './list-pages.ts'
import { keyOf, keyText, type Definition, type ListKind } from './lists.ts'
import type { CacheHint } from './listing.ts'
import type { ServerBook } from './server-book.ts'
import { unavailableText, unknownServer, type Routed, type Target } from './target.ts'
import { uriRewriter } from './uri-rewriter.ts'
import type { View } from './view.ts'

/** Lists kept as pages: four kinds, by what clients declare. */
const maxPages = 64
/** What only some clients see is first read in a process that may have to be started. */
const firstViewMs = 10_000

type AskedViewer = () => Viewer | undefined

/** Many routed servers at once, those that the view includes: tools and prompts as `server__name`, resources under their own URIs. */
export function aggregate({
  catalog,
  timers,
  serverInfo,
  view,
}: {
  catalog: Catalog
  timers: Timers
  serverInfo: Implementation
  view: View
}): Target {
  let built: { of: Indexes; state: object; index: Indexes; pages: Map<string, Pages> } | undefined
  const rewriterOf = uriRewriter(catalog, () => current().index)
  return {
    path: view.path,
    covers: view.includes,
    exposedUri: (server, uri) => current().index.uris.exposed(server, uri),
    facts: async (client) => ({ serverInfo, capabilities: capabilities(client), instructions: view.instructions(books()) }),
    list,
    route,
    books,
  }

  function books(): ServerBook[] {
    return catalog.books().filter(({ name }) => view.includes(name))
  }

  function bookOf(server: string): ServerBook | undefined {
    return view.includes(server) ? catalog.book(server) : undefined
  }

  /** What is found and shown as long as neither the lists nor the view change. */
  function current() {
    const of = catalog.index()
    const state = view.state()
    if (built?.of === of && built.state === state) return built
    const index = view.isEverything ? of : indexesOf(books(), view)
    return (built = { of, state, index, pages: new Map<string, Pages>() })
  }

  async function list(kind: ListKind, cursor: unknown, client: Era, viewer?: Viewer) {
    const shown = books()
    await catalog.fresh(
      shown.map((book) => book.listsFor(viewer)[kind]),
      timers.listWait,
    )
    const stale = shown.filter(({ lists }) => lists[kind].isKnown() && !lists[kind].isFresh()).map(({ name }) => name)
    return listResult({ kind, pages: pages(kind, shown, viewer), hint: lowestHint(kind, shown), serverInfo, stale }, cursor, client)
  }

  function pages(kind: ListKind, shown: readonly ServerBook[], viewer: Viewer | undefined): Pages {
    const { index, pages: known } = current()
    const key = viewer === undefined ? kind : `${kind} ${classOf(viewer.declared)}`
    let of = known.get(key)
    if (!of) known.set(key, (of = paged([...own(kind), ...shown.flatMap((book) => exposed(kind, book, index, viewer))])))
    if (known.size > maxPages) for (const oldest of known.keys()) return (known.delete(oldest), of)
    return of
  }

  function own(kind: ListKind): Definition[] {
    return kind === 'prompts' ? view.prompts.list() : []
  }

  function exposed(kind: ListKind, book: ServerBook, { uris }: Indexes, viewer: Viewer | undefined): Definition[] {
    const server = book.name
    const items = book.listsFor(viewer)[kind].items() ?? []
    const isShown = (one: Definition) => (kind === 'tools' ? view.showsTool(server, keyText(kind, one)) : view.showsOthers(server))
    const shown = items.filter(isShown)
    return shown.map((definition) => ({ ...definition, [keyOf[kind]]: exposedKey(kind, server, keyText(kind, definition), uris) }))
  }

  function route(method: string, params: Params, viewer?: AskedViewer): Routed | Promise<Routed> {
    if (method === 'tools/call') return named('tools', params, 'tool', viewer)
    const answer = method === 'prompts/get' ? view.prompts.answer(String(params['name'])) : undefined
    if (answer) return { answer }
    if (method === 'prompts/get') return named('prompts', params, 'prompt', viewer)
    if (method === 'completion/complete') return completion(params)
    return resource(params)
  }

  function named(kind: 'tools' | 'prompts', params: Params, noun: string, viewer?: AskedViewer): Routed | Promise<Routed> {
    const asked = String(params['name'])
    const found = current().index[kind].get(asked)
    const book = found && catalog.book(found.server)
    if (!found || !book) return unlisted(kind, params, noun, viewer?.())
    params['name'] = found.name
    return { book, params, rewrite: rewriterOf(book.name) }
  }

  /** Perhaps new, perhaps of a server whose list could never be read; only the second is asked without being sure. */
  async function unlisted(kind: 'tools' | 'prompts', params: Params, noun: string, viewer: Viewer | undefined): Promise<Routed> {
    const asked = String(params['name'])
    const split = asked.indexOf('__')
    const book = split > 0 ? bookOf(asked.slice(0, split)) : undefined
    const unknown: Routed = { failure: { code: -32602, message: `Unknown ${noun}: ${asked}` } }
    if (!book) return unknown
    if (kind === 'tools' ? !view.showsTool(book.name, asked.slice(split + 2)) : !view.showsOthers(book.name)) return unknown
    if (!book.connection() && !book.lists[kind].isKnown()) return { unavailable: unavailableText(book.name, book.unavailable()) }
    const seen = book.listsFor(viewer)[kind]
    await catalog.fresh([book.lists[kind], seen], seen === book.lists[kind] ? timers.listWait : firstViewMs)
    const found = current().index[kind].get(asked)
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
    if (view.prompts.answer(String(ref['name']))) return { answer: async () => ({ result: { completion: { values: [] } } }) }
    const routed = named('prompts', ref, 'prompt')
    const withRef = (one: Routed): Routed => ('book' in one ? { book: one.book, params } : one)
    return routed instanceof Promise ? routed.then(withRef) : withRef(routed)
  }

  function resource(params: Params): Routed {
    const asked = String(params['uri'])
    const seenAt = catalog.serverOfSeen(asked)
    const found = current().index.uris.route(asked) ?? (seenAt === undefined ? undefined : { server: seenAt, uri: asked })
    const unknown: Routed = { failure: { code: -32602, message: `No server here serves the resource ${asked}.`, data: { uri: asked } } }
    if (!found) return unknown
    const book = bookOf(found.server)
    if (!book) return { failure: unknownServer(found.server) }
    if (!view.showsOthers(book.name)) return unknown
    params['uri'] = found.uri
    return { book, params, rewrite: rewriterOf(book.name) }
  }

  /** Servers come and go while a client stays, so the three lists are declared whatever runs now. */
  function capabilities(client: Era): Params {
    const has = (name: string) => books().some((book) => isObject(book.facts()?.capabilities[name]))
    return {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      ...(has('completions') ? { completions: {} } : {}),
      ...(client === 'legacy' || has('logging') ? { logging: {} } : {}),
    }
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
