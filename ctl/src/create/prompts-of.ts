import { promptKind } from '@mcpg/proto/kinds/prompt'
import { listObjects } from '../api/objects.ts'
import type { Context } from '../context.ts'
import type { NewObject } from './create-object.ts'

/** The prompts that live in a project, as those of another one; what stands in its spec comes with the spec. */
export async function promptsOf({ api, settings }: Context, from: string, to: string): Promise<NewObject[]> {
  const prompts = await listObjects(await api(), promptKind, {}, { ...settings, project: from })
  return prompts.map(({ kind, metadata: { name, labels, annotations }, spec }) => ({
    kind,
    metadata: { name, project: to, labels, annotations },
    spec,
  }))
}
