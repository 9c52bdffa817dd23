import { Operation } from '@mcpg/proto/rest/operations'
import { operationPath } from '../../api/operations.ts'
import type { Context } from '../../context.ts'

export async function run(context: Context, [id = '']: string[]): Promise<void> {
  const api = await context.api()
  const { body } = await api.call('POST', `${operationPath(id)}/cancel`, { schema: Operation })
  if (context.settings.output === 'json') return context.print(JSON.stringify(body, null, 2))
  context.print(`operation ${id} is being taken back`)
  context.say(`watch it with: mcpg-ctl provision watch ${id}`)
}
