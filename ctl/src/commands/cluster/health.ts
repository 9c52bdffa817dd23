import { ClusterHealthList } from '@mcpg/proto/rest/clusters'
import type { Context } from '../../context.ts'
import { relative } from '../../output/age.ts'
import { table } from '../../output/table.ts'

export async function run({ api: connect, settings, print, say }: Context): Promise<void> {
  const api = await connect()
  const { body } = await api.call('GET', '/v1/clusters/health', { schema: ClusterHealthList })
  if (settings.output === 'json') return print(JSON.stringify(body, null, 2))
  if (settings.output === 'yaml') return print((await import('../../manifest/print-form.ts')).toYaml({ clusters: body.items }).trimEnd())
  if (body.items.length === 0) return say('no clusters found')
  const share = (value: number | undefined) => (value === undefined ? '-' : `${Math.round(value * 100)} %`)
  const rows = body.items.map(({ name, state, healthy, used, failureScore, lastProbeAt, message }) => [
    name,
    state,
    healthy ? 'yes' : 'no',
    share(used.gateways),
    share(used.cpu),
    share(used.memory),
    failureScore === 0 ? '-' : failureScore.toFixed(1),
    lastProbeAt === undefined ? 'never' : relative(lastProbeAt),
    message ?? '',
  ])
  table(['name', 'state', 'healthy', 'gateways', 'cpu', 'memory', 'failures', 'probed', 'message'], rows).forEach((line) => print(line))
}
