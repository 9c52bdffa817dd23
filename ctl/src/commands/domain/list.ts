import { DomainList } from '@mcpg/proto/rest/domains'
import { domainPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'
import { printDomains } from '../../output/print-domains.ts'

export async function run(context: Context): Promise<void> {
  const api = await context.api()
  await printDomains(context, (await api.call('GET', domainPath(context.settings), { schema: DomainList })).body.items)
}
