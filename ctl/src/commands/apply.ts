import { McpgError } from '@mcpg/proto/errors'
import { applyObjects } from '../apply-objects.ts'
import type { Context } from '../context.ts'
import { readManifests } from '../manifest/read-files.ts'
import { printResults } from '../output/print-results.ts'
import { durationOption } from '../duration-option.ts'

export type ApplyOptions = {
  file: string[]
  dryRun?: 'server' | 'client'
  prune?: string
  wait?: boolean
  timeout: string
  expand: boolean
}

export async function run(context: Context, _args: string[], options: ApplyOptions): Promise<number> {
  const timeoutMs = durationOption('--timeout', options.timeout)
  if (options.prune !== undefined && options.prune.trim() === '')
    throw new McpgError('invalid', 'usage', '--prune needs a label selector.', { hint: 'e.g. --prune=team=tools' })
  const objects = await readManifests(context, options)
  if (options.dryRun === 'client') {
    context.print(`${objects.length} ${objects.length === 1 ? 'object is' : 'objects are'} valid`)
    return 0
  }
  const api = await context.api()
  const response = await applyObjects(api, objects, { dryRun: options.dryRun === 'server', prune: options.prune })
  const { results } = response
  const isPlan = options.dryRun === 'server'
  const isStale = results.some(({ result }) => result === 'conflict')
  const isWaiting = options.wait === true && !isPlan && !isStale
  // One object on standard output, so with --wait what was waited for comes with it.
  const isOneObject = isWaiting && (context.settings.output === 'json' || context.settings.output === 'yaml')
  if (!isOneObject) await printResults(context, response)
  if (isStale) {
    context.say('hint: somebody changed it in between: mcpg-ctl diff -f <file>, then apply without resourceVersion or with the new one')
    return 6
  }
  if (!isWaiting) return 0
  const { printWaited, waitForServers } = await import('../wait-for-servers.ts')
  const names = results.filter(({ kind, result }) => kind === 'Server' && result !== 'deleted').map(({ name }) => name)
  const waited = await waitForServers(context, api, names, timeoutMs)
  if (isOneObject) await printResults(context, response, waited.workloads)
  else if (context.settings.output !== 'name' && context.settings.output !== 'ndjson') printWaited(context, waited, options.timeout)
  return waited.exitCode
}
