import { findKind, kinds } from '@mcpg/proto/kinds'
import { ResourceList } from '@mcpg/proto/rest/list'
import { listPath } from '../api/paths.ts'
import { candidates } from '../completion/candidates.ts'
import type { Context } from '../context.ts'

/** Nobody waits longer for a word. */
const patienceMs = 150

/** Never fails: a shell that completes has nowhere to show an error. */
export async function run(context: Context, words: string[]): Promise<void> {
  const found = await candidates(context.root, words, {
    kinds: async () => kinds.map(({ plural }) => plural),
    objects: (kind) => objects(context, kind).catch(() => []),
  })
  found.forEach((word) => context.print(word))
}

async function objects(context: Context, word: string): Promise<string[]> {
  const kind = findKind(word)
  if (!kind) return []
  const api = await context.api()
  const { body } = await api.call('GET', listPath(context.settings, kind.plural), {
    query: { limit: 500 },
    schema: ResourceList,
    timeoutMs: patienceMs,
  })
  return body.items.map(({ metadata }) => metadata.name)
}
