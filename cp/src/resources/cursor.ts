import { createHash } from 'node:crypto'
import { McpgError } from '@mcpg/proto/errors'
import type { ListQuery } from '@mcpg/proto/rest/list'

/** The last object of a page: its value of the sorted column, its name, which decides between equals, and then where it lives. */
export type Position = { value: string; name: string; scope: string }

/** Opaque to callers. Bound to the sorting and the filters, because with others it would skip or repeat objects. */
export function writeCursor(query: ListQuery, position: Position): string {
  return Buffer.from(JSON.stringify([filterMark(query), position.value, position.name, position.scope])).toString('base64url')
}

export function readCursor(query: ListQuery): Position | null {
  if (query.cursor === undefined) return null
  const [mark, value, name, scope] = parse(query.cursor)
  if (typeof value !== 'string' || typeof name !== 'string' || typeof scope !== 'string') throw unusable('is not one of ours')
  if (mark !== filterMark(query)) throw unusable('belongs to a list with another sort or filter')
  return { value, name, scope }
}

function parse(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(parsed) ? parsed : []
  } catch {
    return []
  }
}

function filterMark({ sort, q, labelSelector }: ListQuery): string {
  return createHash('sha256')
    .update(JSON.stringify([sort, q ?? '', labelSelector ?? '']))
    .digest('base64url')
    .slice(0, 8)
}

function unusable(why: string): McpgError {
  return new McpgError('invalid', 'cursor_unusable', `The cursor ${why}.`, {
    violations: [{ pointer: '/querystring/cursor', detail: why }],
    hint: 'Begin the list again without a cursor.',
  })
}
