import { Domain } from '@mcpg/proto/rest/domains'
import { domainPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'
import { printDomain } from '../../output/print-domains.ts'

export async function run(context: Context, [host = '']: string[]): Promise<void> {
  const api = await context.api()
  await printDomain(context, (await api.call('POST', `${domainPath(context.settings, host)}/verify`, { schema: Domain })).body)
}
