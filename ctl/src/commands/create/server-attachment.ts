import { McpgError } from '@mcpg/proto/errors'
import { projectKind } from '@mcpg/proto/kinds/project'
import { serverKind } from '@mcpg/proto/kinds/server'
import { serverAttachmentKind } from '@mcpg/proto/kinds/server-attachment'
import { getObject } from '../../api/objects.ts'
import { applyObjects } from '../../apply-objects.ts'
import type { Context } from '../../context.ts'
import type { MetadataOptions } from '../../create/create-object.ts'

/** `create serverattachment <project>/<server>`, or the server alone with -p: the server becomes one of the project. */
export async function run(context: Context, [word = '']: string[], { dryRun }: Pick<MetadataOptions, 'dryRun'>): Promise<void> {
  const { settings, print } = context
  const { project, server } = meant(word, settings.project)
  const object = { kind: serverAttachmentKind.kind, metadata: { name: server, project }, spec: {} }
  const target = `${serverAttachmentKind.kind.toLowerCase()}/${server}`
  if (dryRun !== 'client') await attach()
  if (settings.output === 'json') return print(JSON.stringify(object, null, 2))
  if (settings.output === 'ndjson') return print(JSON.stringify(object))
  if (settings.output === 'yaml') return print((await import('../../manifest/print-form.ts')).groupedYaml([object]).trimEnd())
  print(settings.output === 'name' ? target : `${target} ${dryRun ? 'would be created' : 'created'} in ${project}`)

  async function attach(): Promise<void> {
    const api = await context.api()
    // Whatever is missing is told by its own name, and not as a field of the project.
    await getObject(api, projectKind, project)
    await getObject(api, serverKind, server)
    const locate = () => ({ file: '(arguments)', line: 1, column: 1 })
    const { results } = await applyObjects(api, [{ ...object, locate }], { dryRun: dryRun === 'server' })
    if (results.every(({ result }) => result === 'unchanged'))
      throw new McpgError('conflict', 'already_exists', `${server} is a server of ${project} already.`, {
        hint: `mcpg-ctl describe project ${project}`,
      })
  }
}

function meant(word: string, given: string | undefined): { project: string; server: string } {
  const [server = '', project = given, ...more] = word.split('/').toReversed()
  if (project !== undefined && given !== undefined && project !== given)
    throw new McpgError('invalid', 'usage', `${word} names the project ${project}, and -p (MCPG_PROJECT) says ${given}.`)
  if (more.length > 0 || server === '' || !project)
    throw new McpgError('invalid', 'usage', `"${word}" does not say which server goes to which project.`, {
      hint: 'mcpg-ctl create serverattachment <project>/<server>, or <server> -p <project>',
    })
  return { project, server }
}
