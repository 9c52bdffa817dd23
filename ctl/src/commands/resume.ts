import { Resource } from '@mcpg/proto/kinds/kind'
import { gatewayAt } from '../api/gateway-configs.ts'
import type { Context } from '../context.ts'
import { printAction } from '../output/print-action.ts'

/** Takes the pin of a rollback away. */
export async function run(context: Context, [word = '']: string[]): Promise<void> {
  const api = await context.api()
  const { path } = await gatewayAt(api, word)
  const { body } = await api.call('POST', `${path}/resume`, { schema: Resource })
  await printAction(context, body, `gateway/${body.metadata.name} resumed`)
  context.say(`it gets what is wanted now: mcpg-ctl describe gateway/${body.metadata.name}`)
}
