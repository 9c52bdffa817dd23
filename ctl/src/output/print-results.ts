import type { ApplyResponse, ApplyResult } from '@mcpg/proto/rest/apply'
import type { Context } from '../context.ts'
import type { Workload } from '../workloads.ts'
import { pinSentence } from './config-history.ts'
import { fieldLine } from './field-line.ts'

const planned = {
  created: 'would be created',
  configured: 'would change',
  unchanged: 'unchanged',
  deleted: 'would be deleted',
  conflict: 'conflict',
} as const
const signs = { created: '+', configured: '~', unchanged: ' ', deleted: '-', conflict: '!' } as const

/** What an apply did, or would do: then with every field that differs. */
export async function printResults(
  { settings, print, say }: Context,
  { results, dryRun: isPlan, pinned = [] }: ApplyResponse,
  workloads?: Workload[],
): Promise<void> {
  const { output } = settings
  const all = { dryRun: isPlan, results, ...(pinned.length > 0 && { pinned }), ...(workloads ? { workloads } : {}) }
  if (output === 'json') return print(JSON.stringify(all, null, 2))
  if (output === 'ndjson') return results.forEach((one) => print(JSON.stringify(one)))
  if (output === 'yaml') return print((await import('../manifest/print-form.ts')).toYaml(all).trimEnd())
  if (output === 'name') return results.forEach(({ kind, name }) => print(`${kind.toLowerCase()}/${name}`))
  for (const result of results) {
    const object = `${result.kind.toLowerCase()}/${result.name}`
    print(isPlan ? `${signs[result.result]} ${object} ${planned[result.result]}` : `${object} ${result.result}`)
    if ((isPlan || output === 'wide') && result.result === 'configured') result.diffs.forEach((diff) => print(`    ${fieldLine(diff)}`))
    if (result.placedOn?.length === 0 && (result.result === 'created' || result.result === 'configured'))
      say(`note: ${object} is Unplaced: no gateway matches its placement`)
  }
  for (const { gateway, ...pin } of pinned) say(`note: ${pinSentence(gateway, pin)}`)
  say(summary(results, isPlan))
}

function summary(results: ApplyResult[], isPlan: boolean): string {
  const count = (wanted: ApplyResult['result']) => results.filter(({ result }) => result === wanted).length
  const parts = (['created', 'configured', 'deleted', 'unchanged', 'conflict'] as const)
    .filter((result) => count(result) > 0)
    .map((result) => `${count(result)} ${isPlan ? planned[result] : result}`)
  return parts.join(', ') || 'nothing to do'
}
