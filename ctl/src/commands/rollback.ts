import { Resource } from '@mcpg/proto/kinds/kind'
import type { GatewayStatus } from '@mcpg/proto/kinds/gateway'
import type { GatewayConfigEntry } from '@mcpg/proto/rest/gateways'
import { configsOf, gatewayAt, generationOption } from '../api/gateway-configs.ts'
import type { Context } from '../context.ts'
import { printAction } from '../output/print-action.ts'
import { oneLine } from '../output/table.ts'

export type RollbackOptions = { to: string }

/** Back to an older config of a gateway, which stays there until it is resumed. */
export async function run(context: Context, [word = '']: string[], options: RollbackOptions): Promise<void> {
  const to = generationOption('--to', options.to)
  const api = await context.api()
  const { gateway, path } = await gatewayAt(api, word)
  const failure = failureOf(await configsOf(api, { path }), to)
  if (failure) context.say(`warning: ${gateway.metadata.name} ${failure}; it is tried again because you say so`)
  const { body } = await api.call('POST', `${path}/rollback`, { body: { to }, schema: Resource })
  const name = `gateway/${body.metadata.name}`
  const { config } = body.status as Partial<GatewayStatus>
  await printAction(context, body, `${name} goes back to generation ${to}, as generation ${config?.desired?.generation}`)
  context.say(`it is pinned: no change reaches it until mcpg-ctl resume ${name}; whether it runs: mcpg-ctl describe ${name}`)
}

/** How a config did not hold there, under this number or another. */
function failureOf(configs: GatewayConfigEntry[], to: number): string | undefined {
  const target = configs.find(({ generation }) => generation === to)
  const failed = configs.find(({ hash, state }) => hash === target?.hash && outcomes[state] !== undefined)
  if (!failed) return undefined
  const why = failed.message ?? failed.reason
  return `${outcomes[failed.state]} generation ${failed.generation}${why ? ` (${oneLine(why)})` : ''}`
}

const outcomes: Partial<Record<GatewayConfigEntry['state'], string>> = { rejected: 'refused', rolled_back: 'went back from' }
