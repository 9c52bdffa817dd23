import type { Resource } from '@mcpg/proto/kinds/kind'
import type { ListQuery, ResourceList } from '@mcpg/proto/rest/list'
import { selects, type SelectorTerm } from '@mcpg/proto/selectors'
import { readCursor, writeCursor } from './cursor.ts'

/** The page of a list whose objects are in memory; the same filters, order and cursors as for rows. */
export function pageOf(
  all: Resource[],
  { query, terms, isSeen }: { query: ListQuery; terms: SelectorTerm[]; isSeen: (object: Resource['metadata']) => boolean },
): ResourceList {
  const descending = query.sort.startsWith('-')
  const field = (descending ? query.sort.slice(1) : query.sort) as 'name' | 'createdAt' | 'updatedAt'
  const q = query.q?.toLowerCase()
  const matching = all
    .filter(({ metadata }) => isSeen(metadata))
    .filter(({ metadata }) => (q === undefined || metadata.name.toLowerCase().includes(q)) && selects(terms, metadata.labels))
    .sort(
      (one, other) =>
        (descending ? -1 : 1) * (compare(one.metadata[field], other.metadata[field]) || compare(identity(one), identity(other))),
    )
  const after = readCursor(query)
  const from = after
    ? matching.findIndex((one) => {
        const order = compare(one.metadata[field], after.value) || compare(identity(one), after.name)
        return descending ? order < 0 : order > 0
      })
    : 0
  const items = from < 0 ? [] : matching.slice(from, from + query.limit)
  const lastItem = items.at(-1)
  const more = from >= 0 && from + query.limit < matching.length && lastItem !== undefined
  return {
    items,
    ...(more ? { nextCursor: writeCursor(query, { value: lastItem.metadata[field], name: identity(lastItem), scope: '' }) } : {}),
    total: matching.length,
  }
}

// Names of gateways repeat between the environments of a workspace.
const identity = ({ metadata }: Resource): string => `${metadata.name}\0${metadata.uid}`

// By code unit, as the database compares.
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
