import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import { eventsFor } from '../api/events.ts'
import { configsOf, placeOf } from '../api/gateway-configs.ts'
import { listObjects, readTargets } from '../api/objects.ts'
import type { Context } from '../context.ts'
import { describeObject, type Related } from '../output/describe-object.ts'
import type { Api } from '../api/client.ts'
import { instanceKind } from '@mcpg/proto/kinds/instance'
import { toolKind } from '@mcpg/proto/kinds/tool'

export async function run(context: Context, args: string[]): Promise<void> {
  const { settings, print } = context
  const { kinds, names } = readTargets(args)
  const api = await context.api()
  const found = await Promise.all(
    kinds.map(async (kind) => (await listObjects(api, kind, { names })).map((resource) => ({ kind, resource }))),
  )
  const all = found.flat()
  if (settings.output === 'json')
    return print(JSON.stringify(all.length === 1 ? all[0]!.resource : { items: all.map(({ resource }) => resource) }, null, 2))
  if (settings.output === 'yaml') {
    const { toYaml } = await import('../manifest/print-form.ts')
    return all.forEach(({ resource }, index) => print(`${index > 0 ? '---\n' : ''}${toYaml(resource).trimEnd()}`))
  }
  if (all.length === 0) context.say(`no ${kinds.map(({ plural }) => plural).join(', ')} found`)
  for (const [index, { kind, resource }] of all.entries()) {
    if (index > 0) print('')
    describeObject(kind, resource, await relatedTo(api, kind, resource)).forEach((line) => print(line))
  }
}

/** What belongs to an object and is a kind of its own. */
async function relatedTo(api: Api, kind: KindDeclaration, resource: Resource): Promise<Related> {
  const { metadata } = resource
  const events = kind.kind === 'Event' ? [] : await eventsFor(api, `${kind.plural}/${metadata.name}`)
  if (kind.kind !== 'Server' && kind.kind !== 'Gateway') return { instances: [], tools: [], configs: [], events }
  const field = kind.kind.toLowerCase()
  const instances = (await listObjects(api, instanceKind)).filter(({ spec }) => spec[field] === metadata.name)
  const tools = kind.kind === 'Server' ? (await listObjects(api, toolKind)).filter(({ spec }) => spec['server'] === metadata.name) : []
  const configs = kind.kind === 'Gateway' ? await configsOf(api, placeOf(api, resource)) : []
  return { instances, tools, configs, events }
}
