import type { ApplyResult, FieldDiff } from '@mcpg/proto/rest/apply'
import type { Context } from '../context.ts'
import type { Workload } from '../workloads.ts'
import { oneLine } from './table.ts'

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
  results: ApplyResult[],
  isPlan: boolean,
  workloads?: Workload[],
): Promise<void> {
  const { output } = settings
  const all = { dryRun: isPlan, results, ...(workloads ? { workloads } : {}) }
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
  say(summary(results, isPlan))
}

function fieldLine({ path, before, after }: FieldDiff): string {
  if (before === undefined) return `+ ${path}: ${short(after)}`
  if (after === undefined) return `- ${path}: ${short(before)}`
  return `~ ${path}: ${short(before)} → ${short(after)}`
}

function short(value: unknown): string {
  const text = oneLine(JSON.stringify(value) ?? '')
  return text.length <= 160 ? text : `${text.slice(0, 159)}…`
}

function summary(results: ApplyResult[], isPlan: boolean): string {
  const count = (wanted: ApplyResult['result']) => results.filter(({ result }) => result === wanted).length
  const parts = (['created', 'configured', 'deleted', 'unchanged', 'conflict'] as const)
    .filter((result) => count(result) > 0)
    .map((result) => `${count(result)} ${isPlan ? planned[result] : result}`)
  return parts.join(', ') || 'nothing to do'
}
