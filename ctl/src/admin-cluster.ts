import { Cluster } from '@mcpg/proto/rest/clusters'
import type { Context } from './context.ts'

/** One of the verbs that change a cluster, by its id or name. */
export async function adminCluster(
  { api: connect, settings, print }: Context,
  { word, verb, body }: { word: string; verb: 'cordon' | 'uncordon' | 'decommission'; body?: object },
): Promise<void> {
  const api = await connect()
  const path = `/v1/admin/clusters/${encodeURIComponent(word)}/${verb}`
  const { body: cluster } = await api.call('POST', path, { schema: Cluster, ...(body && { body }) })
  if (settings.output === 'json') return print(JSON.stringify(cluster, null, 2))
  if (settings.output === 'yaml') return print((await import('./manifest/print-form.ts')).toYaml(cluster).trimEnd())
  print(settings.output === 'name' ? `cluster/${cluster.name}` : `cluster/${cluster.name} ${cluster.state}`)
}
