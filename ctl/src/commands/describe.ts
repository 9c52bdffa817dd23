import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import { eventsFor } from '../api/events.ts'
import { configsOf, placeOf } from '../api/gateway-configs.ts'
import { listObjects } from '../api/objects.ts'
import { findTargets, readTargets, shown } from '../api/targets.ts'
import { isTenancy } from '../api/tenancy.ts'
import type { Context } from '../context.ts'
import { describeObject, type Related } from '../output/describe-object.ts'
import type { Api } from '../api/client.ts'
import { instanceKind } from '@mcpg/proto/kinds/instance'
import { toolKind } from '@mcpg/proto/kinds/tool'

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

/** What belongs to an object and is a kind of its own. */
async function relatedTo(api: Api, kind: KindDeclaration, resource: Resource): Promise<Related> {
  const { metadata } = resource
  const events = kind.kind === 'Event' || isTenancy(kind) ? [] : await eventsFor(api, `${kind.plural}/${metadata.name}`)
  if (kind.kind !== 'Server' && kind.kind !== 'Gateway') return { instances: [], tools: [], configs: [], events }
  const field = kind.kind.toLowerCase()
  const instances = (await listObjects(api, instanceKind)).filter(({ spec }) => spec[field] === metadata.name)
  const tools = kind.kind === 'Server' ? (await listObjects(api, toolKind)).filter(({ spec }) => spec['server'] === metadata.name) : []
  const configs = kind.kind === 'Gateway' ? await configsOf(api, placeOf(api, resource)) : []
  return { instances, tools, configs, events }
}
