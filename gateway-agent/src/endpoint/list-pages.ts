import type { Era, McpFailure } from '../mcp/connection.ts'
import { metaKeys, rpcCodes, type Implementation, type Params } from '../mcp/protocol.ts'
import type { CacheHint } from './listing.ts'
import type { ListKind } from './lists.ts'

/** A list is one page up to this size. */
const pageBytes = 1024 * 1024

/** The texts of a list's items, joined to pages once and not for every client. */
export type Pages = { texts: string[]; starts: number[] }

export function paged(items: readonly Params[]): Pages {
  const texts: string[] = []
  const starts: number[] = []
  let page: string[] = []
  let size = 0
  let count = 0
  for (const item of items) {
    const text = JSON.stringify(item)
    if (page.length > 0 && size + text.length > pageBytes) flush()
    page.push(text)
    size += text.length + 1
  }
  if (page.length > 0 || texts.length === 0) flush()
  return { texts, starts }

  function flush(): void {
    texts.push(page.join(','))
    starts.push(count)
    count += page.length
    page = []
    size = 0
  }
}

export type ListAnswer = { kind: ListKind; pages: Pages; hint: CacheHint; serverInfo: Implementation; stale: string[] }

/** The result of a list request, or the failure of a cursor that is none of ours. */
export function listResult(
  { kind, pages, hint, serverInfo, stale }: ListAnswer,
  cursor: unknown,
  client: Era,
): { json: string } | { failure: McpFailure } {
  const page = cursor === undefined ? 0 : pageOf(cursor, kind, pages)
  const text = pages.texts[page]
  if (text === undefined)
    return { failure: { code: rpcCodes.invalidParams, message: 'The cursor is unknown; list again from the beginning.' } }
  const next = page + 1 < pages.texts.length ? `,"nextCursor":"${cursorOf(kind, pages.starts[page + 1]!)}"` : ''
  const meta: Params = {
    ...(client === 'modern' ? { [metaKeys.serverInfo]: serverInfo } : {}),
    ...(stale.length > 0 ? { 'dev.mcpg/staleServers': stale } : {}),
  }
  const modern = client === 'modern' ? `,"resultType":"complete","ttlMs":${hint.ttlMs},"cacheScope":"${hint.cacheScope}"` : ''
  const metaText = Object.keys(meta).length > 0 ? `,"_meta":${JSON.stringify(meta)}` : ''
  return { json: `{"${kind}":[${text}]${next}${modern}${metaText}}` }
}

function cursorOf(kind: ListKind, start: number): string {
  return Buffer.from(`${kind}:${start}`).toString('base64url')
}

/** -1 for a cursor that names no page: invented, or of a list that has become shorter. */
function pageOf(cursor: unknown, kind: ListKind, pages: Pages): number {
  const [of, start] = typeof cursor === 'string' ? Buffer.from(cursor, 'base64url').toString().split(':') : []
  return of === kind ? pages.starts.indexOf(Number(start)) : -1
}
