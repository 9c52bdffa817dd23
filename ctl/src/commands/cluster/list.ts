import { ClusterList } from '@mcpg/proto/rest/clusters'
import type { Context } from '../../context.ts'
import { printClusters } from '../../output/print-clusters.ts'

export async function run(context: Context, _args: string[], { all }: { all?: boolean }): Promise<void> {
  const api = await context.api()
  const { body } = await api.call('GET', '/v1/clusters', { schema: ClusterList })
  await printClusters(
    context,
    body.items.filter(({ state }) => all || state !== 'decommissioned'),
  )
}
