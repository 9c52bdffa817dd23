import { McpgError } from '@mcpg/proto/errors'
import { confirm } from '../ask.ts'
import { kindOf } from '../api/objects.ts'
import { findTargets, nothingMatches, pathOf, readTargets, refuseAmbiguous, shown } from '../api/targets.ts'
import type { Context } from '../context.ts'
import { eachObject, type One } from '../each-object.ts'
import { readManifests } from '../manifest/read-files.ts'

export type DeleteOptions = {
  file: string[]
  selector?: string
  yes?: boolean
  expand: boolean
  cascade?: boolean
  dryRun?: boolean
  ignoreNotFound?: boolean
}

export async function run(context: Context, args: string[], options: DeleteOptions): Promise<void> {
  const { cascade, dryRun } = options
  const all = options.file.length > 0 ? await objectsOfFiles() : await objectsOfWords()
  if (all.length === 0) return context.say(`nothing to delete${args.length > 0 ? `: ${nothingMatches(args, options.selector)}` : ''}`)
  const names = all.map(({ kind, resource }) => shown(kind, resource.metadata.name))
  const few = names.length <= 10 ? names.join(', ') : `${names.slice(0, 10).join(', ')} and ${names.length - 10} more`
  const also = cascade ? ' and what is in them' : ''
  if (!dryRun && !options.yes && !(await confirm(context, `Delete ${few}${also}?`, '--yes'))) return context.say('nothing was deleted')
  const api = await context.api()
  await eachObject(all, 'deleted', remove, { again: dryRun !== true })

  async function remove({ kind, resource }: One): Promise<void> {
    const target = shown(kind, resource.metadata.name)
    const query = { ...(cascade && { cascade }), ...(dryRun && { dryRun }) }
    try {
      // What cannot be missing becomes its original again, and is the answer.
      const { status } = await api.call('DELETE', pathOf(context.settings, kind, resource.metadata), { query })
      const verb = status === 200 ? 'reset' : 'deleted'
      context.print(context.settings.output === 'name' ? target : `${target} ${dryRun ? `would be ${verb}` : verb}`)
    } catch (error) {
      if (options.ignoreNotFound && error instanceof McpgError && error.code === 'not_found') return
      throw error
    }
  }

  async function objectsOfFiles(): Promise<One[]> {
    if (args.length > 0) throw new McpgError('invalid', 'usage', 'Objects are named either by -f or by words, not both.')
    const objects = await readManifests(context, options, { values: false })
    return objects.map(({ kind, metadata }) => ({ kind: kindOf(kind), resource: { metadata: metadata as One['resource']['metadata'] } }))
  }

  async function objectsOfWords(): Promise<One[]> {
    if (args.length === 0)
      throw new McpgError('invalid', 'usage', 'What is to be deleted is not named.', {
        hint: 'mcpg-ctl delete <kind> <name>, or -f <file>',
      })
    const targets = readTargets(args)
    const elsewhere = targets.find(({ kind }) => kind.scope !== 'project')
    if (context.settings.project !== undefined && elsewhere)
      throw new McpgError('unsupported', 'project_unused', `${elsewhere.kind.plural} do not live in a project.`, {
        hint: 'leave out --project (MCPG_PROJECT)',
      })
    if (targets.some((target) => target.names.length === 0) && !options.selector)
      throw new McpgError('invalid', 'usage', 'No name is given.', { hint: `all of them: mcpg-ctl delete ${args[0]} '*'` })
    // What is only reported goes with what it is reported of.
    const own = args[0] === 'all' ? targets.filter(({ kind }) => !kind.virtual) : targets
    const found = await findTargets(await context.api(), own, { selector: options.selector, lenient: options.ignoreNotFound ?? false })
    refuseAmbiguous(own, found)
    return found.flatMap(({ kind, resources }) => resources.map((resource) => ({ kind, resource })))
  }
}
