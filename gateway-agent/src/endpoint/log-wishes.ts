import { isObject } from '../mcp/protocol.ts'
import type { Catalog } from './catalog.ts'
import { moreVerbose, type LogLevel } from './log-levels.ts'
import type { Performer } from './perform.ts'
import type { ServerBook } from './server-book.ts'
import type { Target } from './target.ts'

export type LogWishes = ReturnType<typeof logWishes>

/**
 * A legacy server has one level for all its clients, so it gets the most verbose that anybody asked for and what is sent on is filtered
 * per client. Set again when the server comes back, and for servers that come later.
 */
export function logWishes({ catalog, request }: { catalog: Catalog; request: Performer['request'] }) {
  const wished = new Map<Target, LogLevel>()
  const unsubscribe = catalog.onEvent((event) => {
    const book = event.type === 'connected' ? catalog.book(event.server) : undefined
    const level = book && levelOf(book)
    if (level) set(book, level)
  })
  return { ask, stop: unsubscribe }

  function ask(target: Target, level: LogLevel): void {
    const next = moreVerbose(wished.get(target), level)
    if (next === wished.get(target)) return
    wished.set(target, next)
    for (const book of target.books()) set(book, levelOf(book) ?? next)
  }

  function levelOf(book: ServerBook): LogLevel | undefined {
    let most: LogLevel | undefined
    for (const [target, level] of wished) if (target.covers(book.name)) most = moreVerbose(most, level)
    return most
  }

  function set(book: ServerBook, level: LogLevel): void {
    const facts = book.facts()
    if (book.connection() && facts?.era === 'legacy' && isObject(facts.capabilities['logging']))
      void request(book, 'logging/setLevel', { level })
  }
}
