import { homedir } from 'node:os'
import { join } from 'node:path'
import { prepareStateDir } from '@mcpg/core/state-dir'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import { McpgError } from '@mcpg/proto/errors'
import { applyObjects } from '../apply-objects.ts'
import type { Context } from '../context.ts'
import { readImport, type ImportResult } from '../import/read-import.ts'
import { readSource } from '../import/sources.ts'
import { listGateways } from '../local/run-files.ts'
import { showPosition } from '../manifest/manifest.ts'
import { printResults } from '../output/print-results.ts'

export type CommandOptions = { dryRun?: 'server' | 'client'; partial?: boolean; replace?: boolean; secret: string[]; plain: string[] }

export async function run(context: Context, [word = '', ...only]: string[], options: CommandOptions): Promise<number> {
  const { env } = context
  const isPrinted = options.dryRun === 'client'
  const source = await readSource(word, env)
  const variable = (name: string) => env.env[name]
  const home = env.env['HOME'] ?? homedir()
  const gateways = await listGateways(context.settings.stateDir)
  const endpoints = gateways.flatMap(({ endpoints: { mcp } }) => mcp ?? [])
  const found = await readImport(source, { only, secret: options.secret, plain: options.plain, isPrinted, variable, home, endpoints })
  refuseProblems(context, found, options.partial === true)
  if (isPrinted) await printManifest(context, found)
  else if (!(await write(context, found, options))) return 6
  tellAside(context, found, isPrinted || options.dryRun !== undefined ? undefined : await keepAside(context, source.name, found))
  return 0
}

/** What cannot be taken over stops the import, or is listed and left out. */
function refuseProblems({ say }: Context, { problems, objects }: ImportResult, isPartial: boolean): void {
  if (problems.length === 0) return
  const violations = problems.map(({ position, detail }) => ({ pointer: showPosition(position), detail }))
  if (isPartial && objects.length > 0) return violations.forEach(({ pointer, detail }) => say(`left out: ${pointer}: ${detail}`))
  const count = problems.length === 1 ? '1 thing' : `${problems.length} things`
  throw new McpgError('invalid', 'not_importable', `${count} cannot be imported; nothing was written.`, {
    violations,
    ...(objects.length > 0 && { hint: 'import what can be: --partial' }),
  })
}

async function printManifest({ settings, print, say }: Context, { objects, taken }: ImportResult): Promise<void> {
  const { groupedYaml } = await import('../manifest/print-form.ts')
  const shown = objects.map(({ kind, metadata, spec }) => ({ kind, metadata, spec }))
  if (settings.output === 'json') print(JSON.stringify({ items: shown }, null, 2))
  else if (settings.output === 'name') shown.forEach(({ kind, metadata }) => print(`${kind.toLowerCase()}/${metadata.name}`))
  else print(groupedYaml(shown).trimEnd())
  if (taken.length === 0) return
  say('values of secrets are not shown; before this is applied, set')
  for (const { variable, of, key, made } of taken) say(`  ${variable}  (${key} of ${of}${made ? `: ${made}` : ''})`)
}

/** False where something of the same name is there and is another. */
async function write(context: Context, { objects }: ImportResult, { dryRun, replace }: CommandOptions): Promise<boolean> {
  if (objects.length === 0) return true
  const api = await context.api()
  if (dryRun === 'server' || !replace) {
    const plan = await applyObjects(api, objects, { dryRun: true })
    if (dryRun === 'server') {
      await printResults(context, plan)
      return true
    }
    const other = plan.results.filter(({ result }) => result === 'configured').map(({ kind, name }) => `${kind.toLowerCase()}/${name}`)
    if (other.length > 0)
      throw new McpgError(
        'conflict',
        'already_exists',
        `${other.join(', ')} ${other.length === 1 ? 'is' : 'are'} there already and not the same; nothing was written.`,
        {
          hint: 'look with --dry-run; replace with --replace, or name the servers to import',
        },
      )
  }
  await printResults(context, await applyObjects(api, objects))
  return true
}

/** What has no place here is kept in a file only its owner can read: nobody knows whether there is a secret in it. */
async function keepAside({ settings }: Context, source: string, { aside }: ImportResult): Promise<string | undefined> {
  if (aside.length === 0) return undefined
  const folder = join(settings.stateDir, 'imports')
  const problem = (await prepareStateDir(settings.stateDir)) ?? (await prepareStateDir(folder))
  if (problem) return undefined
  const file = join(folder, `${new Date().toISOString().replaceAll(':', '-')}.json`)
  await writeFileAtomic(file, `${JSON.stringify({ source, leftOut: aside }, null, 2)}\n`)
  return file
}

function tellAside({ say }: Context, { aside, notes }: ImportResult, file: string | undefined): void {
  notes.forEach((note) => say(`note: ${note}`))
  for (const { of, fields } of aside) {
    const names = Object.keys(fields)
    const few = names.length > 10 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ')
    say(`not taken over${of ? ` from ${of}` : ''}: ${few}`)
  }
  if (file !== undefined) say(`what was not taken over is kept in ${file}`)
}
