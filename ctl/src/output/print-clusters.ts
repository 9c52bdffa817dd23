import type { Cluster, ClusterDrain } from '@mcpg/proto/rest/clusters'
import type { Context } from '../context.ts'
import { pairs, table } from './table.ts'

/** Of a total that is not known, only what is taken. */
export const used = (reserved: number, total: number | undefined, unit: (amount: number) => string): string =>
  total === undefined ? unit(reserved) : `${unit(reserved)} of ${unit(total)}`
export const millicores = (amount: number): string => `${amount}m`
export const mebibytes = (amount: number): string => `${Math.round(amount / 2 ** 20)}Mi`

export async function printClusters({ settings, print, say }: Context, clusters: Cluster[]): Promise<void> {
  switch (settings.output) {
    case 'json':
      return print(JSON.stringify({ items: clusters }, null, 2))
    case 'yaml':
      return print((await import('../manifest/print-form.ts')).toYaml({ clusters }).trimEnd())
    case 'ndjson':
      return clusters.forEach((one) => print(JSON.stringify(one)))
    case 'name':
      return clusters.forEach(({ name }) => print(`cluster/${name}`))
    default: {
      if (clusters.length === 0) return say('no clusters found')
      const header = ['name', 'state', 'driver', 'region', 'tier', 'gateways', 'cpu', 'memory', 'id']
      table(header, clusters.map(cells)).forEach((line) => print(line))
    }
  }
}

export async function printCluster({ settings, print }: Context, cluster: Cluster): Promise<void> {
  if (settings.output === 'json') return print(JSON.stringify(cluster, null, 2))
  if (settings.output === 'yaml') return print((await import('../manifest/print-form.ts')).toYaml(cluster).trimEnd())
  if (settings.output === 'name') return print(`cluster/${cluster.name}`)
  const labels = Object.entries(cluster.labels).map(([key, value]) => `${key}=${value}`)
  pairs([
    ['Name', cluster.name],
    ['Id', cluster.id],
    ['State', `${cluster.state}${cluster.message === undefined ? '' : `: ${cluster.message}`}`],
    ...(cluster.drain ? drainRows(cluster.drain) : []),
    ['Driver', cluster.driver],
    ['Region', cluster.region],
    ['Isolation tier', cluster.isolationTier],
    ['Labels', labels.length > 0 ? labels.join(', ') : '-'],
    ['Gateways', used(cluster.gateways.reserved, cluster.gateways.max, String)],
    ['CPU', used(cluster.cpuMillicores.reserved, cluster.cpuMillicores.total, millicores)],
    ['Memory', used(cluster.memoryBytes.reserved, cluster.memoryBytes.total, mebibytes)],
    ['Last probe', cluster.lastProbeAt ?? '-'],
    [
      'Failure score',
      cluster.failureScore === 0 ? '-' : `${cluster.failureScore.toFixed(1)}, halves every ten minutes; others are preferred`,
    ],
    ['Registered', cluster.createdAt],
  ]).forEach((line) => print(line))
}

/** How far a drain is, in one line. */
export function drainText({ total, left, moving, waiting, expired, finishedAt }: ClusterDrain): string {
  if (left === 0 && moving === 0) return `is drained: ${total} ${total === 1 ? 'gateway has' : 'gateways have'} moved`
  const parts = [`${left} left of ${total}`, `${moving} on their way`, ...(waiting.length > 0 ? [`${waiting.length} cannot move yet`] : [])]
  const what = finishedAt === undefined ? 'is draining' : expired ? 'is not drained, the deadline has passed' : 'is not drained'
  return `${what}: ${parts.join(', ')}`
}

const drainRows = (drain: ClusterDrain): [string, string][] => [
  ['Drain', `${drainText(drain)}; begun by ${drain.startedBy} at ${drain.startedAt}`],
  ...(drain.deadline === undefined ? [] : ([['Deadline', drain.deadline]] as [string, string][])),
  ...drain.waiting.map(({ gateway, why }): [string, string] => ['Waiting', `${gateway}: ${why}`]),
]

const cells = (one: Cluster): string[] => [
  one.name,
  one.state,
  one.driver,
  one.region,
  one.isolationTier,
  used(one.gateways.reserved, one.gateways.max, String),
  used(one.cpuMillicores.reserved, one.cpuMillicores.total, millicores),
  used(one.memoryBytes.reserved, one.memoryBytes.total, mebibytes),
  one.id,
]
