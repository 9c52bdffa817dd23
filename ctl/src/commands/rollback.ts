import { Resource } from '@mcpg/proto/kinds/kind'
import type { GatewayStatus } from '@mcpg/proto/kinds/gateway'
import { gatewayAt, generationOption } from '../api/gateway-configs.ts'
import type { Context } from '../context.ts'
import { printAction } from '../output/print-action.ts'

export type RollbackOptions = { to: string }

/** Back to an older config of a gateway, which stays there until it is resumed. */
export async function run(context: Context, [word = '']: string[], options: RollbackOptions): Promise<void> {
  const to = generationOption('--to', options.to)
  const api = await context.api()
  const { path } = await gatewayAt(api, word)
  const { body } = await api.call('POST', `${path}/rollback`, { body: { to }, schema: Resource })
  const name = `gateway/${body.metadata.name}`
  const { config } = body.status as Partial<GatewayStatus>
  await printAction(context, body, `${name} goes back to generation ${to}, as generation ${config?.desired?.generation}`)
  context.say(`it is pinned: no change reaches it until mcpg-ctl resume ${name}; whether it runs: mcpg-ctl describe ${name}`)
}
