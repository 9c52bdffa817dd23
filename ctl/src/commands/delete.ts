import { McpgError } from '@mcpg/proto/errors'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import { confirm } from '../ask.ts'
import { kindOf, listObjects, readTargets } from '../api/objects.ts'
import { environmentPath, objectPath } from '../api/paths.ts'
import type { Context } from '../context.ts'
import { readManifests } from '../manifest/read-files.ts'

export type DeleteOptions = { file: string[]; selector?: string; yes?: boolean; expand: boolean }

type Target = { kind: KindDeclaration; name: string; environment?: string | undefined }

export async function run(context: Context, args: string[], options: DeleteOptions): Promise<void> {
  const targets = options.file.length > 0 ? await targetsOfFiles() : await targetsOfWords()
  if (targets.length === 0) return context.say('nothing to delete')
  const shown = targets.map(({ kind, name }) => `${kind.kind.toLowerCase()}/${name}`)
  const few = shown.length <= 10 ? shown.join(', ') : `${shown.slice(0, 10).join(', ')} and ${shown.length - 10} more`
  if (!options.yes && !(await confirm(context, `Delete ${few}?`, '--yes'))) return context.say('nothing was deleted')
  const api = await context.api()
  for (const { kind, name, environment } of targets) {
    const path =
      kind.kind === 'Gateway'
        ? `${environmentPath({ ...context.settings, environment: environment ?? context.settings.environment })}/gateways/${encodeURIComponent(name)}`
        : objectPath(context.settings, kind.plural, name)
    await api.call('DELETE', path)
    context.print(`${kind.kind.toLowerCase()}/${name} deleted`)
  }

  async function targetsOfFiles(): Promise<Target[]> {
    if (args.length > 0) throw new McpgError('invalid', 'usage', 'Objects are named either by -f or by words, not both.')
    return (await readManifests(context, options, { values: false })).map(({ kind, metadata }) => ({
      kind: kindOf(kind),
      name: metadata.name,
    }))
  }

  async function targetsOfWords(): Promise<Target[]> {
    if (args.length === 0)
      throw new McpgError('invalid', 'usage', 'What is to be deleted is not named.', {
        hint: 'mcpg-ctl delete <kind> <name>, or -f <file>',
      })
    const { kinds, names } = readTargets(args)
    if (names.length === 0 && !options.selector)
      throw new McpgError('invalid', 'usage', 'No name is given.', { hint: `all of them: mcpg-ctl delete ${args[0]} '*'` })
    const api = await context.api()
    const lists = await Promise.all(
      kinds.map(async (kind) =>
        (await listObjects(api, kind, { names, selector: options.selector })).map(({ metadata }) => ({
          kind,
          name: metadata.name,
          environment: metadata.environment,
        })),
      ),
    )
    return lists.flat()
  }
}
