import { isObject } from '../mcp/protocol.ts'
import type { Catalogue } from './catalogue.ts'
import type { Forward } from './forward.ts'
import { moreVerbose, type LogLevel } from './log-levels.ts'
import type { ServerBook } from './server-book.ts'
import type { Target } from './target.ts'

export type LogWishes = ReturnType<typeof logWishes>

/**
 * A legacy server has one level for all its clients, so it gets the most verbose that anybody asked for and what is sent on is filtered
 * per client. Set again when the server comes back.
 */
export function logWishes({ catalogue, forward }: { catalogue: Catalogue; forward: Forward }) {
  const wished = new Map<string, LogLevel>()
  const unsubscribe = catalogue.onEvent((event) => {
    const level = event.type === 'connected' ? wished.get(event.server) : undefined
    const book = level && catalogue.book(event.server)
    if (book) set(book, level)
  })
  return { ask, stop: unsubscribe }

  function ask(target: Target, level: LogLevel): void {
    for (const book of target.books()) {
      const before = wished.get(book.name)
      const next = moreVerbose(before, level)
      if (next === before) continue
      wished.set(book.name, next)
      set(book, next)
    }
  }

  function set(book: ServerBook, level: LogLevel): void {
    const facts = book.facts()
    if (book.connection() && facts?.era === 'legacy' && isObject(facts.capabilities['logging']))
      void forward.request(book, 'logging/setLevel', { level })
  }
}
