import { promptKind } from '@mcpg/proto/kinds/prompt'
import { listObjects } from '../api/objects.ts'
import { workspacePath } from '../api/paths.ts'
import type { Context } from '../context.ts'

/** Gives a new project the prompts that live in another one; those of its spec it has already. */
export async function copyPrompts({ api: connect, settings, say }: Context, from: string, to: string): Promise<void> {
  const api = await connect()
  const prompts = await listObjects(api, promptKind, {}, { ...settings, project: from })
  if (prompts.length === 0) return
  const objects = prompts.map(({ kind, metadata: { name, labels, annotations }, spec }) => ({
    kind,
    metadata: { name, project: to, labels, annotations },
    spec,
  }))
  await api.call('POST', `${workspacePath(settings)}/apply`, { body: { objects } })
  say(`prompts of ${from} copied: ${prompts.map(({ metadata }) => metadata.name).join(', ')}`)
}
