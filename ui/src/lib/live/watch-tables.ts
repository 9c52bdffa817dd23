import type { Resource } from '@mcpg/proto/kinds/kind'
import type { WatchEvent } from '@mcpg/proto/rest/watch'
import { isWatchedKind, watchedKindNames, type WatchedKind } from './kinds.ts'

type Table = Map<string, Resource>
type Tables = Record<WatchedKind, Table>

/**
 * What the stream has said so far, one table per kind. A stream without a cursor begins with ADDED for everything and a BOOKMARK:
 * between the two the new tables grow aside, so that the page keeps the old ones and loses what was deleted meanwhile.
 */
export function watchTables() {
  let tables = emptyTables()
  let growing: Tables | undefined
  let complete = false
  const changed = new Set<WatchedKind>()

  return { beginSnapshot, apply, replace, takeChanges, isComplete: () => complete }

  function beginSnapshot(): void {
    growing = emptyTables()
  }

  function apply(event: WatchEvent): void {
    if (event.type === 'BOOKMARK' && growing) {
      tables = growing
      growing = undefined
      complete = true
      for (const kind of watchedKindNames) changed.add(kind)
    }
    const { object } = event
    if (!object || !isWatchedKind(object.kind)) return
    const target = (growing ?? tables)[object.kind]
    if (event.type === 'DELETED') target.delete(identity(object))
    else if (event.type !== 'BOOKMARK' && event.type !== 'EXPIRED') target.set(identity(object), object)
    else return
    if (!growing) changed.add(object.kind)
  }

  /** Takes a list read over REST, when the stream is not there to tell. */
  function replace(kind: WatchedKind, items: readonly Resource[]): void {
    tables[kind] = new Map(items.map((item) => [identity(item), item]))
    changed.add(kind)
  }

  /** The lists that changed since the last call, by name. */
  function takeChanges(): [WatchedKind, Resource[]][] {
    const lists = [...changed].map((kind): [WatchedKind, Resource[]] => [kind, [...tables[kind].values()].sort(byName)])
    changed.clear()
    return lists
  }
}

const emptyTables = (): Tables => ({
  Server: new Map(),
  Gateway: new Map(),
  Instance: new Map(),
  Tool: new Map(),
  Enrollment: new Map(),
  Event: new Map(),
  Secret: new Map(),
  Project: new Map(),
  Prompt: new Map(),
  PromptRequest: new Map(),
})

const identity = ({ metadata }: Resource) => metadata.uid || `${metadata.environment ?? ''}/${metadata.name}`

function byName(a: Resource, b: Resource): number {
  return compare(a.metadata.name, b.metadata.name) || compare(a.metadata.environment ?? '', b.metadata.environment ?? '')
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
