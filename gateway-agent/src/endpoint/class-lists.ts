import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import { McpgError } from '@mcpg/proto/errors'
import type { McpCall, McpOutcome } from '../mcp/connection.ts'
import { classOf, cut } from './asking/declared.ts'
import type { Viewer } from './asking/viewer.ts'
import { listing, type Listing } from './listing.ts'
import { keyText, listKinds, type Definition, type ListKind } from './lists.ts'
import type { RoutedServer } from '../servers/supervision.ts'

/** Sets of capabilities whose lists are kept of one server; clients declare few different ones. */
const maxClasses = 8

type Lists = Record<ListKind, Listing>

export type ClassLists = ReturnType<typeof classLists>

/**
 * The lists of a legacy server as clients see them that can be asked: it may show them more than others. Read, per set of capabilities, in
 * a process of a client that has them; until that has answered they are what everybody sees.
 */
export function classLists({
  server,
  base,
  isLegacy,
  timers,
  clock,
  onChange,
}: {
  server: RoutedServer
  /** What everybody sees. */
  base: Lists
  isLegacy: () => boolean
  timers: Timers
  clock: Clock
  onChange: (kind: ListKind) => void
}) {
  const classes = new Map<string, { lists: Lists; viewer: Viewer }>()
  return { of, more, invalidate, close: () => classes.clear() }

  /** Undefined when this client sees what everybody sees. */
  function of(viewer: Viewer | undefined): Lists | undefined {
    const allowed = viewer && isLegacy() ? cut(viewer.declared, server.config.forward) : undefined
    if (!viewer || !allowed) return undefined
    const key = classOf(allowed)
    const known = classes.get(key)
    classes.delete(key)
    const entry = known ?? { lists: empty(key), viewer }
    entry.viewer = viewer
    classes.set(key, entry)
    if (!known) for (const kind of listKinds) entry.lists[kind].use({ request: (call) => request(entry.viewer, call) })
    if (classes.size > maxClasses) for (const oldest of classes.keys()) return (classes.delete(oldest), entry.lists)
    return entry.lists
  }

  function empty(key: string): Lists {
    const onlyWhileKept = (kind: ListKind) => () => classes.has(key) && onChange(kind)
    const made = listKinds.map(
      (kind) => [kind, listing({ kind, timers, clock, before: base[kind], onChange: onlyWhileKept(kind) })] as const,
    )
    return Object.fromEntries(made) as Lists
  }

  async function request(viewer: Viewer, call: McpCall): Promise<McpOutcome> {
    const lease = await viewer.lease(server)
    if ('unavailable' in lease) throw new McpgError('unavailable', 'no_process', lease.unavailable)
    try {
      return await lease.connection.request(call)
    } finally {
      lease.release()
    }
  }

  /** What some clients see and not everybody. */
  function more(kind: ListKind): Definition[] {
    if (classes.size === 0) return []
    const seen = new Set((base[kind].items() ?? []).map((item) => keyText(kind, item)))
    const found: Definition[] = []
    for (const { lists } of classes.values())
      for (const item of lists[kind].items() ?? []) {
        const key = keyText(kind, item)
        if (!seen.has(key)) found.push(item)
        seen.add(key)
      }
    return found
  }

  function invalidate(kinds: readonly ListKind[]): void {
    for (const { lists } of classes.values()) for (const kind of kinds) lists[kind].invalidate()
  }
}
