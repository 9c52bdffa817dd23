import { setTimeout as delay } from 'node:timers/promises'
import { Cluster, type ClusterDrain } from '@mcpg/proto/rest/clusters'
import type { Context } from '../../context.ts'
import { durationOption } from '../../duration-option.ts'
import { Interrupted } from '../../failure.ts'
import { drainText } from '../../output/print-clusters.ts'
import { oneLine } from '../../output/table.ts'

export type DrainOptions = { deadline?: string; detach?: boolean }

const lookAgainMs = 500
/** The remote work ended, and not all of it is done. */
const failedExit = 7

/** Moves the gateways of a cluster away and shows how far that is. Ctrl-C ends the watching and never the work. */
export async function run(context: Context, [word = '']: string[], { deadline, detach }: DrainOptions): Promise<number> {
  const { settings, print, say, stopping } = context
  if (deadline !== undefined) durationOption('--deadline', deadline)
  const api = await context.api()
  const body = deadline === undefined ? {} : { deadline }
  const isTable = settings.output === 'table' || settings.output === 'wide'
  let { body: cluster } = await api.call('POST', `/v1/admin/clusters/${encodeURIComponent(word)}/drain`, { schema: Cluster, body })
  let told = ''
  for (;;) {
    const { drain } = cluster
    const line = drain ? `cluster/${cluster.name} ${drainText(drain)}` : `cluster/${cluster.name} ${cluster.state}`
    if (isTable && line !== told) print(line)
    if (settings.output === 'ndjson' && line !== told) print(JSON.stringify(cluster))
    told = line
    if (detach || !drain || drain.finishedAt !== undefined) break
    await delay(lookAgainMs, undefined, { signal: stopping }).catch(() => {})
    if (stopping.aborted) throw new Interrupted(`the work goes on; see how far: mcpg-ctl cluster describe ${cluster.name}`)
    cluster = (await api.call('GET', `/v1/clusters/${encodeURIComponent(cluster.id)}`, { schema: Cluster })).body
  }
  if (settings.output === 'json') print(JSON.stringify(cluster, null, 2))
  if (settings.output === 'yaml') print((await import('../../manifest/print-form.ts')).toYaml(cluster).trimEnd())
  if (settings.output === 'name') print(`cluster/${cluster.name}`)
  const { drain } = cluster
  if (detach) return 0
  if (!drain) {
    say(`nothing more is moved: somebody wanted the cluster ${cluster.name} ${cluster.state}`)
    return failedExit
  }
  if (isTable) for (const line of waitingLines(drain)) print(line)
  if (drain.left === 0) say(`nothing is left: mcpg-ctl cluster decommission --id ${cluster.name}`)
  else say(`move what is left: mcpg-ctl cluster drain ${cluster.name} --deadline <duration>, or mcpg-ctl cluster uncordon ${cluster.name}`)
  return drain.left === 0 ? 0 : failedExit
}

const waitingLines = ({ waiting }: ClusterDrain): string[] => waiting.map(({ gateway, why }) => `  ${gateway}: ${oneLine(why)}`)
