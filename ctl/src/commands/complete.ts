import { createHash } from 'node:crypto'
import { candidates } from '../completion/candidates.ts'
import { cachedNames } from '../completion/name-cache.ts'
import type { Context } from '../context.ts'

/** `patience`: how long the control plane may take, in ms; nobody waits longer for a word. */
export type CompleteOptions = { patience: string }

/**
 * Never fails: a shell that completes has nowhere to show an error. What knows the kinds is loaded where a word is about one and its names
 * are not in the cache: that takes longer than all the rest.
 */
export async function run(context: Context, words: string[], { patience }: CompleteOptions): Promise<void> {
  const patienceMs = Number(patience) || 0
  // PowerShell passes an empty word as two quotes, which newer versions leave as they are.
  const typed = words.map((word) => (word === '""' ? '' : word))
  const found = await candidates(context.root, typed, {
    kinds: async () => (await import('../completion/kind-words.ts')).kindWords(),
    fields: async (path) => (await import('../completion/kind-words.ts')).fieldsAt(path),
    objects: (kind, scope) => objects(context, kind, scope, patienceMs).catch(() => []),
  }).catch(() => [])
  found.forEach((word) => context.print(word))
}

/** `scope`: what the words before say about where to look. */
async function objects(
  { settings: given, api: open }: Context,
  word: string,
  scope: Record<string, string>,
  patienceMs: number,
): Promise<string[]> {
  const settings = { ...given, ...scope }
  const { stateDir, cpUrl = '', org, workspace, environment, project = '', token, sessionCookie } = settings
  const who = createHash('sha256')
    .update(`${token ?? ''}\n${sessionCookie ?? ''}`)
    .digest('hex')
  return await cachedNames(stateDir, [cpUrl, org, workspace, environment, project, word, who], async () => {
    const [{ kindOf, listObjects }, { askNames }] = await Promise.all([import('../api/objects.ts'), import('../completion/ask-names.ts')])
    const kind = kindOf(word)
    const names = await askNames(settings, kind, patienceMs).catch(() => null)
    if (names !== undefined) return names
    const found = await listObjects(await open(), kind, { timeoutMs: patienceMs }, settings).catch(() => null)
    return found?.map(({ metadata }) => metadata.name) ?? null
  })
}
