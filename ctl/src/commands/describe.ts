import { relatedTo } from '../api/related.ts'
import { findTargets, readTargets, shown } from '../api/targets.ts'
import type { Context } from '../context.ts'
import { describeObject } from '../output/describe-object.ts'

export type DescribeOptions = { selector?: string }

export async function run(context: Context, args: string[], { selector }: DescribeOptions): Promise<void> {
  const { settings, print } = context
  const targets = readTargets(args)
  const api = await context.api()
  const environment = settings.environmentGiven ? settings.environment : undefined
  const found = await findTargets(api, targets, { selector, environment })
  const all = found.flatMap(({ kind, resources }) => resources.map((resource) => ({ kind, resource })))
  const isSingle = targets.length === 1 && targets[0]?.names.length === 1
  if (settings.output === 'json')
    return print(JSON.stringify(isSingle && all.length === 1 ? all[0]!.resource : { items: all.map(({ resource }) => resource) }, null, 2))
  if (settings.output === 'ndjson') return all.forEach(({ resource }) => print(JSON.stringify(resource)))
  if (settings.output === 'name') return all.forEach(({ kind, resource }) => print(shown(kind, resource.metadata.name)))
  if (settings.output === 'yaml') {
    const { toYaml } = await import('../manifest/print-form.ts')
    return all.forEach(({ resource }, index) => print(`${index > 0 ? '---\n' : ''}${toYaml(resource).trimEnd()}`))
  }
  if (all.length === 0) context.say(`no ${targets.map(({ kind }) => kind.plural).join(', ')} found`)
  for (const [index, { kind, resource }] of all.entries()) {
    if (index > 0) print('')
    describeObject(kind, resource, await relatedTo(api, kind, resource)).forEach((line) => print(line))
  }
}
