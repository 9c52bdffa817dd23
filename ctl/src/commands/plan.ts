import { applyObjects, isChange } from '../apply-objects.ts'
import type { Context } from '../context.ts'
import { readManifests } from '../manifest/read-files.ts'
import { printResults } from '../output/print-results.ts'

export type PlanOptions = { file: string[]; prune?: string; exitCode?: boolean; expand: boolean }

export async function run(context: Context, _args: string[], options: PlanOptions): Promise<number> {
  const objects = await readManifests(context, options)
  const response = await applyObjects(await context.api(), objects, { dryRun: true, prune: options.prune })
  await printResults(context, response)
  return options.exitCode && response.results.some(isChange) ? 1 : 0
}
