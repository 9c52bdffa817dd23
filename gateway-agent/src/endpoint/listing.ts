import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import type { McpConnection, McpFailure } from '../mcp/connection.ts'
import { isObject, type Params } from '../mcp/protocol.ts'
import { listMethods, type Definition, type ListKind } from './lists.ts'

const maxPages = 100
/** A server that does not list within this is taken for silent; its calls have their own time. */
const listTimeoutMs = 10_000
const maxItems = 20_000

/** How long a modern client may keep a list, as its server says. */
export type CacheHint = { ttlMs: number; cacheScope: 'public' | 'private' }
const noCaching: CacheHint = { ttlMs: 0, cacheScope: 'private' }

/** Where a list is read. */
type Source = Pick<McpConnection, 'request' | 'listedTools'>

export type Listing = {
  /** Another conversation with the server, or none; what the old one said stays until the new one has answered. */
  use(next: Source | undefined): void
  items(): Definition[] | undefined
  hint(): CacheHint
  failure(): string | undefined
  isFresh(): boolean
  isKnown(): boolean
  invalidate(): void
  /** Resolves when the list is fresh, or as fresh as it gets now; never rejects. */
  refresh(): Promise<void>
}

type Options = { kind: ListKind; timers: Timers; clock: Clock; before: Listing | undefined; onChange: () => void }

/**
 * One list of one server: the last good one, how old it is, and one refresh at a time. A refresh that fails leaves the last list in
 * place and is not tried again for a while.
 */
export function listing({ kind, timers, clock, before, onChange }: Options): Listing {
  let items: Definition[] | undefined = before?.items()
  let hint = noCaching
  let text = items === undefined ? '' : JSON.stringify(items)
  let fetchedAt = -Infinity
  let failedAt = -Infinity
  let failure: string | undefined
  let refreshing: Promise<void> | undefined
  let connection: Source | undefined
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

  function use(next: Source | undefined): void {
    connection = next
    refreshing = undefined
    invalidate()
    const known = kind === 'tools' ? next?.listedTools?.() : undefined
    if (!known) return
    fetchedAt = clock.monotonic()
    take(itemsOf(known), hintOf(known))
  }

  function invalidate(): void {
    wanted++
    fetchedAt = -Infinity
    failedAt = -Infinity
  }

  function isFresh(): boolean {
    return clock.monotonic() - fetchedAt < timers.listCache
  }

  function refresh(): Promise<void> {
    if (isFresh() || !connection || clock.monotonic() - failedAt < timers.listNegative) return Promise.resolve()
    if (refreshing) return refreshing
    const started = fetchAll(connection).finally(() => {
      if (refreshing === started) refreshing = undefined
    })
    refreshing = started
    return started
  }

  async function fetchAll(from: Source): Promise<void> {
    const asked = wanted
    try {
      const answer = await fetchPages(from)
      if (connection !== from) return
      failure = undefined
      if (asked === wanted) fetchedAt = clock.monotonic()
      take(answer.items, answer.hint)
    } catch (error) {
      if (connection !== from) return
      if (asked === wanted) failedAt = clock.monotonic()
      failure = error instanceof Error ? error.message : String(error)
    }
    // Something changed while it was read: read again, once for however many changes.
    if (asked !== wanted && connection === from) await fetchAll(from)
  }

  function take(next: Definition[], nextHint: CacheHint): void {
    const nextText = JSON.stringify(next)
    hint = nextHint
    if (items !== undefined && nextText === text) return
    items = next
    text = nextText
    onChange()
  }

  async function fetchPages(from: Source): Promise<{ items: Definition[]; hint: CacheHint }> {
    const all: Definition[] = []
    let pageHint = noCaching
    let cursor: string | undefined
    for (let page = 0; page < maxPages && all.length < maxItems; page++) {
      const params = cursor === undefined ? undefined : { cursor }
      const outcome = await from.request({ method: listMethods[kind], params, timeoutMs: listTimeoutMs })
      if ('error' in outcome) return { items: emptyOr(outcome.error), hint: noCaching }
      const { nextCursor } = outcome.result
      for (const item of itemsOf(outcome.result)) if (all.length < maxItems) all.push(item)
      if (page === 0) pageHint = hintOf(outcome.result)
      if (typeof nextCursor !== 'string' || nextCursor === '' || nextCursor === cursor) break
      cursor = nextCursor
    }
    return { items: all, hint: pageHint }
  }

  function itemsOf(result: Params): Definition[] {
    const listed = result[kind]
    return Array.isArray(listed) ? (listed as unknown[]).filter(isObject) : []
  }

  /** Servers declare `resources` and know no templates: that is an empty list, not a failure. */
  function emptyOr(error: McpFailure): Definition[] {
    if (error.code === -32601) return []
    throw new Error(`${listMethods[kind]} was answered with an error: ${error.message} (${error.code}).`)
  }
}

function hintOf({ ttlMs, cacheScope }: Params): CacheHint {
  if (typeof ttlMs !== 'number' || !(ttlMs >= 0)) return noCaching
  return { ttlMs: Math.floor(ttlMs), cacheScope: cacheScope === 'public' ? 'public' : 'private' }
}
