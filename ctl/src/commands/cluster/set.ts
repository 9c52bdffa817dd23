import { McpgError } from '@mcpg/proto/errors'
import { RegisteredCluster, type ChangeCluster } from '@mcpg/proto/rest/clusters'
import type { Context } from '../../context.ts'
import { inFlags } from '../../in-flags.ts'
import { printCluster } from '../../output/print-clusters.ts'
import { labelsOf } from './labels.ts'

export type SetOptions = { gatewaysMax?: number; cpuMillicoresTotal?: string; memoryBytesTotal?: string; label: string[] }

/** What a cluster takes, said anew; `probed` leaves a total to what each probe finds. */
export async function run(context: Context, [word = '']: string[], options: SetOptions): Promise<void> {
  const body = bodyOf(options)
  const api = await context.api()
  const path = `/v1/admin/clusters/${encodeURIComponent(word)}`
  await printCluster(context, (await api.call('PATCH', path, { body, schema: RegisteredCluster }).catch(inFlags(body))).body)
}

function bodyOf({ gatewaysMax, cpuMillicoresTotal, memoryBytesTotal, label }: SetOptions): ChangeCluster {
  const body = {
    ...(gatewaysMax !== undefined && { gatewaysMax }),
    ...(cpuMillicoresTotal !== undefined && { cpuMillicoresTotal: total('--cpu-millicores-total', cpuMillicoresTotal) }),
    ...(memoryBytesTotal !== undefined && { memoryBytesTotal: total('--memory-bytes-total', memoryBytesTotal) }),
    ...(label.length > 0 && { labels: label.includes('=') ? {} : labelsOf(label) }),
  }
  if (Object.keys(body).length > 0) return body
  throw new McpgError('invalid', 'usage', 'Nothing to change was given.', { hint: 'mcpg-ctl cluster set --help' })
}

function total(flag: string, text: string): number | null {
  if (text === 'probed') return null
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new McpgError('invalid', 'usage', `${flag} must be a whole number or probed, not ${text}.`)
}
