import type { Timers } from '@mcpg/core/timers'
import type { Era } from '../mcp/connection.ts'
import { isObject, type Params } from '../mcp/protocol.ts'
import type { Viewer } from './asking/viewer.ts'
import type { Catalog } from './catalog.ts'
import { listResult, paged, type Pages } from './list-pages.ts'
import { capabilityOf, type Definition, type ListKind } from './lists.ts'
import type { ServerFacts } from './server-book.ts'
import { unavailableText, unknownServer, type Target } from './target.ts'

/** A first list of a server is waited for this long: there is nothing else to answer with. */
const firstListMs = 10_000

/** What of a server somebody may use. */
export type Shows = { tool: (name: string) => boolean; others: boolean }

/** `/mcp/servers/{server}`: one server under its own names, URIs, instructions and capabilities. */
export function singleServer(
  server: string,
  { catalog, timers, shows = { tool: () => true, others: true } }: { catalog: Catalog; timers: Timers; shows?: Shows },
): Target {
  const pagesOf = new WeakMap<readonly Definition[], Pages>()
  return {
    path: `/mcp/servers/${server}`,
    covers: (name) => name === server,
    exposedUri: (_server, uri) => uri,
    facts: async (client) => {
      const facts = book()?.facts()
      return facts
        ? { serverInfo: facts.serverInfo, capabilities: capabilitiesFor(client, facts), instructions: facts.instructions }
        : away()
    },
    list,
    route: (method, params) => {
      const found = book()
      if (!found) return { failure: unknownServer(server) }
      if (method === 'tools/call' ? shows.tool(String(params['name'])) : shows.others) return { book: found, params }
      const asked = params['name'] ?? params['uri'] ?? method
      return { failure: { code: -32602, message: `Unknown ${method === 'tools/call' ? 'tool' : 'name'}: ${JSON.stringify(asked)}` } }
    },
    books: () => [book()].filter((one) => one !== undefined),
  }

  function book() {
    return catalog.book(server)
  }

  function away(): { unavailable: string } {
    return { unavailable: unavailableText(server, book()?.unavailable()) }
  }

  async function list(kind: ListKind, cursor: unknown, client: Era, viewer?: Viewer) {
    const found = book()
    if (!found) return { failure: unknownServer(server) }
    const of = found.listsFor(viewer)[kind]
    const isFirst = !of.isKnown() || (of !== found.lists[kind] && of.failure() === undefined)
    if (isObject(found.facts()?.capabilities[capabilityOf[kind]])) await catalog.fresh([of], isFirst ? firstListMs : timers.listWait)
    const items = of.items()
    const facts = found.facts()
    if (!facts) return away()
    if (!items && of.failure() !== undefined) return { failure: { code: -32603, message: of.failure()! } }
    const hint = facts.era === 'modern' ? of.hint() : { ttlMs: 0, cacheScope: 'private' as const }
    return listResult(
      { kind, pages: pages(kind, items ?? []), hint, serverInfo: facts.serverInfo, stale: of.isFresh() || !items ? [] : [server] },
      cursor,
      client,
    )
  }

  function pages(kind: ListKind, items: readonly Definition[]): Pages {
    const isShown = (one: Definition) => (kind === 'tools' ? shows.tool(String(one['name'])) : shows.others)
    let known = pagesOf.get(items)
    if (!known) pagesOf.set(items, (known = paged(items.filter(isShown))))
    return known
  }
}

/** What the server declares, without what does not work through us. */
function capabilitiesFor(client: Era, { capabilities, era }: ServerFacts): Params {
  const { tasks: _tasks, extensions, ...rest } = capabilities
  // Extensions are negotiated between two sides of one era.
  return client === era && extensions !== undefined ? { ...rest, extensions } : rest
}
