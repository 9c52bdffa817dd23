import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Context } from '../context.ts'

/** What an action on one object came to: a sentence, its name, or the object as it is now. */
export async function printAction({ settings, print }: Context, resource: Resource, sentence: string): Promise<void> {
  const { output } = settings
  if (output === 'json') return print(JSON.stringify(resource, null, 2))
  if (output === 'ndjson') return print(JSON.stringify(resource))
  if (output === 'yaml') return print((await import('../manifest/print-form.ts')).toYaml(resource).trimEnd())
  print(output === 'name' ? `${resource.kind.toLowerCase()}/${resource.metadata.name}` : sentence)
}
