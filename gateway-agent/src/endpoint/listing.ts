import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import type { McpConnection, McpFailure } from '../mcp/connection.ts'
import { isObject } from '../mcp/protocol.ts'
import { listMethods, type Definition, type ListKind } from './lists.ts'

const maxPages = 100
const maxItems = 20_000

/** How long a modern client may keep a list, as its server says. */
export type CacheHint = { ttlMs: number; cacheScope: 'public' | 'private' }
const noCaching: CacheHint = { ttlMs: 0, cacheScope: 'private' }

export type Listing = ReturnType<typeof listing>

/**
 * One list of one server: the last good one, how old it is, and one refresh at a time. A refresh that fails leaves the last list in
 * place and is not tried again for a while.
 */
export function listing({ kind, timers, clock, onChange }: { kind: ListKind; timers: Timers; clock: Clock; onChange: () => void }) {
  let items: Definition[] | undefined
  let hint = noCaching
  let text = ''
  let fetchedAt = -Infinity
  let failedAt = -Infinity
  let failure: string | undefined
  let refreshing: Promise<void> | undefined
  let connection: McpConnection | undefined
  /** Raised by every invalidation, so that a refresh that began before one does not count as fresh. */
  let wanted = 0
  return {
    use,
    items: () => items,
    hint: () => hint,
    failure: () => failure,
    isFresh,
    isKnown: () => items !== undefined,
    invalidate,
    refresh,
  }

  /** Another conversation with the server, or none; what the old one said stays until the new one has answered. */
  function use(next: McpConnection | undefined): void {
    connection = next
    invalidate()
  }

  function invalidate(): void {
    wanted++
    fetchedAt = -Infinity
    failedAt = -Infinity
  }

  function isFresh(): boolean {
    return clock.monotonic() - fetchedAt < timers.listCache
  }

  /** Resolves when the list is fresh, or as fresh as it gets now; never rejects. */
  function refresh(): Promise<void> {
    if (isFresh() || !connection || clock.monotonic() - failedAt < timers.listNegative) return Promise.resolve()
    refreshing ??= fetchAll(connection).finally(() => (refreshing = undefined))
    return refreshing
  }

  async function fetchAll(from: McpConnection): Promise<void> {
    const asked = wanted
    try {
      const answer = await fetchPages(from)
      if (connection !== from) return
      const changed = JSON.stringify(answer.items)
      const first = items === undefined
      items = answer.items
      hint = answer.hint
      failure = undefined
      if (asked === wanted) fetchedAt = clock.monotonic()
      if (changed === text && !first) return
      text = changed
      onChange()
    } catch (error) {
      if (connection !== from) return
      failedAt = clock.monotonic()
      failure = error instanceof Error ? error.message : String(error)
    }
    // Something changed while it was read: read again, once for however many changes.
    if (asked !== wanted && connection) await fetchAll(connection)
  }

  async function fetchPages(from: McpConnection): Promise<{ items: Definition[]; hint: CacheHint }> {
    const all: Definition[] = []
    let pageHint = noCaching
    let cursor: string | undefined
    for (let page = 0; page < maxPages && all.length < maxItems; page++) {
      const outcome = await from.request({ method: listMethods[kind], params: cursor === undefined ? undefined : { cursor } })
      if ('error' in outcome) return { items: emptyOr(outcome.error), hint: noCaching }
      const { [kind]: listed, nextCursor, ttlMs, cacheScope } = outcome.result
      if (Array.isArray(listed)) for (const one of listed as unknown[]) if (isObject(one)) all.push(one)
      if (page === 0 && typeof ttlMs === 'number' && ttlMs >= 0)
        pageHint = { ttlMs, cacheScope: cacheScope === 'public' ? 'public' : 'private' }
      if (typeof nextCursor !== 'string' || nextCursor === '' || nextCursor === cursor) break
      cursor = nextCursor
    }
    return { items: all, hint: pageHint }
  }

  /** Servers declare `resources` and know no templates: that is an empty list, not a failure. */
  function emptyOr(error: McpFailure): Definition[] {
    if (error.code === -32601) return []
    throw new Error(`${listMethods[kind]} was answered with an error: ${error.message} (${error.code}).`)
  }
}
