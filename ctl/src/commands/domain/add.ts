import { Domain } from '@mcpg/proto/rest/domains'
import { domainPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'
import { printDomain } from '../../output/print-domains.ts'

export async function run(context: Context, [host = '']: string[]): Promise<void> {
  const api = await context.api()
  const { body } = await api.call('POST', domainPath(context.settings), { body: { host }, schema: Domain })
  await printDomain(context, body)
  if (body.state === 'pending') context.say(`make this record, then: mcpg-ctl domain verify ${host}`)
}
