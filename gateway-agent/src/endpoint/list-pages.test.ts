import { expect, it } from 'vitest'
import { listResult, paged, type Pages } from './list-pages.ts'

const answer = (pages: Pages, stale: string[] = []) => ({
  kind: 'tools' as const,
  pages,
  hint: { ttlMs: 5, cacheScope: 'public' as const },
  serverInfo: { name: 's', version: '1' },
  stale,
})
const read = (pages: Pages, cursor?: unknown) => {
  const page = listResult(answer(pages), cursor, 'legacy')
  return 'json' in page ? (JSON.parse(page.json) as { tools: { name: string }[]; nextCursor?: string }) : page.failure
}

it('answers a list in one page up to 1 MiB, and the rest by cursor', () => {
  const items = Array.from({ length: 30 }, (_, index) => ({ name: `tool-${index}`, description: 'x'.repeat(100_000) }))
  const pages = paged(items)
  expect(pages.texts.every((text) => text.length <= 1024 * 1024)).toBe(true)
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = read(pages, cursor) as { tools: { name: string }[]; nextCursor?: string }
    names.push(...page.tools.map(({ name }) => name))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  expect(names).toEqual(items.map(({ name }) => name))
  expect(read(paged(items.slice(0, 3)))).not.toHaveProperty('nextCursor')
})

it('refuses a cursor it did not make', () => {
  const pages = paged([{ name: 'a' }])
  for (const cursor of ['', 'x', 7, null, Buffer.from('tools:5').toString('base64url'), Buffer.from('prompts:0').toString('base64url')]) {
    expect(read(pages, cursor)).toMatchObject({ code: -32602 })
  }
})

it('answers an empty list, and tells modern clients how long they may keep one', () => {
  expect(listResult(answer(paged([])), undefined, 'legacy')).toEqual({ json: '{"tools":[]}' })
  const modern = listResult(answer(paged([]), ['slow']), undefined, 'modern') as { json: string }
  expect(JSON.parse(modern.json)).toEqual({
    tools: [],
    resultType: 'complete',
    ttlMs: 5,
    cacheScope: 'public',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 's', version: '1' }, 'dev.mcpg/staleServers': ['slow'] },
  })
})
