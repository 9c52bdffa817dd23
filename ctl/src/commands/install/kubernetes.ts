import type { Context } from '../../context.ts'
import { toYaml } from '../../manifest/print-form.ts'

export type KubernetesOptions = { [flag: string]: string | number | boolean | undefined }

export async function run({ settings, print }: Context, _args: string[], options: KubernetesOptions): Promise<void> {
  const { kubernetesManifests } = await import('@mcpg/cp/main')
  const objects = kubernetesManifests(options)
  if (settings.output === 'json') return print(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }, null, 2))
  if (settings.output === 'name') return print(objects.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`).join('\n'))
  print(objects.map((object) => toYaml(object).trimEnd()).join('\n---\n'))
}
