import { McpgError } from '@mcpg/proto/errors'
import type { GatewayStatus } from '@mcpg/proto/kinds/gateway'
import { GatewayConfigEntry } from '@mcpg/proto/rest/gateways'
import { gatewayAt, generationOption } from './api/gateway-configs.ts'
import type { Context } from './context.ts'
import { configDiffLines, configDiffObjects } from './output/config-history.ts'

/** What leads from one config of a gateway to another, by default to the one that it should run; exit code 1 when something differs. */
export async function diffConfigs(context: Context, word: string, options: { from?: string; to?: string }): Promise<number> {
  const { settings, print, say } = context
  if (options.from === undefined)
    throw new McpgError('invalid', 'missing_flag', 'The generation to compare with is not given.', {
      hint: 'name it with --from <generation> (MCPG_FROM); mcpg-ctl describe gateway/<name> lists them',
    })
  const from = generationOption('--from', options.from)
  const api = await context.api()
  const { gateway, path } = await gatewayAt(api, word)
  const to = options.to === undefined ? desiredOf(gateway.status, gateway.metadata.name) : generationOption('--to', options.to)
  const { body } = await api.call('GET', `${path}/configs/${to}`, { query: { diff: from }, schema: GatewayConfigEntry })
  const diff = body.diff ?? { from, to, servers: [], others: [] }
  const differing = configDiffObjects(diff)
  if (settings.output === 'json') print(JSON.stringify(diff, null, 2))
  else if (settings.output === 'ndjson') [...diff.servers, ...diff.others].forEach((one) => print(JSON.stringify(one)))
  else if (settings.output === 'yaml') print((await import('./manifest/print-form.ts')).toYaml(diff).trimEnd())
  else if (settings.output === 'name') differing.forEach(({ object }) => print(object))
  else configDiffLines(diff).forEach((line) => print(line))
  if (differing.length === 0) say(`generations ${from} and ${to} are the same config`)
  return differing.length > 0 ? 1 : 0
}

function desiredOf(status: Record<string, unknown>, name: string): number {
  const generation = (status as Partial<GatewayStatus>).config?.desired?.generation
  if (generation !== undefined) return generation
  throw new McpgError('failed_precondition', 'no_config', `${name} has no config yet.`, { hint: `mcpg-ctl describe gateway/${name}` })
}
