import { Quotas } from '@mcpg/proto/rest/quotas'
import { orgPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'
import { printQuotas } from '../../output/print-quotas.ts'

export async function run(context: Context): Promise<void> {
  const api = await context.api()
  await printQuotas(context, (await api.call('GET', `${orgPath(context.settings)}/quotas`, { schema: Quotas })).body)
}
