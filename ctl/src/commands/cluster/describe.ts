import { Cluster } from '@mcpg/proto/rest/clusters'
import type { Context } from '../../context.ts'
import { printCluster } from '../../output/print-clusters.ts'

export async function run(context: Context, [word = '']: string[]): Promise<void> {
  const api = await context.api()
  await printCluster(context, (await api.call('GET', `/v1/clusters/${encodeURIComponent(word)}`, { schema: Cluster })).body)
}
