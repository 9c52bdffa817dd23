import { randomUUID } from 'node:crypto'
import { McpgError } from '@mcpg/proto/errors'
import { RegisteredCluster } from '@mcpg/proto/rest/clusters'
import type { Context } from '../../context.ts'
import { inFlags } from '../../in-flags.ts'
import { readAccess, type AccessOptions } from './access.ts'
import { labelsOf } from './labels.ts'

export type RegisterOptions = AccessOptions & {
  name: string
  region: string
  gatewaysMax: number
  isolationTier: string
  cpuMillicoresTotal?: number
  memoryBytesTotal?: number
  label: string[]
  driver: string
}

export async function run(
  { api: connect, settings, env, print, say }: Context,
  _args: string[],
  { name, region, gatewaysMax, isolationTier, cpuMillicoresTotal, memoryBytesTotal, label, driver, ...access }: RegisterOptions,
): Promise<void> {
  // Without the driver that it is for it would go unheard.
  if (access.namespace !== undefined && driver !== 'kubernetes')
    throw new McpgError('invalid', 'usage', '--namespace goes with --driver kubernetes.', { hint: 'mcpg-ctl cluster register --help' })
  const api = await connect()
  const body = {
    name,
    region,
    gatewaysMax,
    isolationTier,
    cpuMillicoresTotal,
    memoryBytesTotal,
    driver,
    ...(driver === 'kubernetes' && (await readAccess(access, env.env))),
    ...(label.length > 0 && { labels: labelsOf(label) }),
  }
  const { body: cluster } = await api
    .call('POST', '/v1/admin/clusters', { body, headers: { 'idempotency-key': randomUUID() }, schema: RegisteredCluster })
    .catch(inFlags(body))
  if (settings.output === 'json') return print(JSON.stringify(cluster, null, 2))
  if (settings.output === 'yaml') return print((await import('../../manifest/print-form.ts')).toYaml(cluster).trimEnd())
  if (settings.output === 'name') return print(`cluster/${cluster.name}`)
  print(`cluster/${cluster.name} registered (${cluster.id}), ${cluster.state}`)
  if (cluster.hint) say(cluster.hint)
}
