import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { McpgError } from '@mcpg/proto/errors'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { getObject } from '../api/objects.ts'
import { findTargets, pathOf, readTarget, refuseAmbiguous } from '../api/targets.ts'
import { refuseTenancy } from '../api/tenancy.ts'
import type { Context } from '../context.ts'
import { describeFailure } from '../failure.ts'
import { parseManifest } from '../manifest/parse.ts'
import { groupedYaml } from '../manifest/print-form.ts'
import { manifestError } from '../manifest/read-files.ts'
import { readSecretSources } from '../manifest/secret-sources.ts'

const intro = '# Lines that begin with # are ignored. An empty file, or one without changes, writes nothing.\n'

export async function run(context: Context, args: string[]): Promise<void> {
  const { kind, name } = readTarget(
    args,
    new McpgError('invalid', 'usage', 'One object is edited at a time.', { hint: 'mcpg-ctl edit server/everything' }),
  )
  refuseTenancy(kind, 'edit')
  if (kind.virtual)
    throw new McpgError('unsupported', 'not_editable', `${kind.kind} objects are reported, not edited.`, {
      hint: `mcpg-ctl describe ${kind.kind.toLowerCase()}/${name}`,
    })
  const api = await context.api()
  const folder = await mkdtemp(join(tmpdir(), 'mcpg-edit-'))
  const file = join(folder, `${name}.yaml`)
  try {
    const target = [{ kind, names: [name] }]
    const found = await findTargets(api, target)
    refuseAmbiguous(target, found)
    if (editorOf(context) === undefined && !context.settings.input)
      throw new McpgError(
        'invalid',
        'needs_input',
        `${kind.kind.toLowerCase()}/${name} is edited by somebody, and nobody can be asked here.`,
        {
          hint: `mcpg-ctl patch ${kind.kind.toLowerCase()} ${name} <field>=<value>, or mcpg-ctl apply -f <file>`,
        },
      )
    let live = found[0]!.resources[0]!
    const again = async () => await getObject(api, kind, name, { ...api.settings, project: live.metadata.project ?? api.settings.project })
    let text = groupedYaml([live])
    let complaint = ''
    let refusal: McpgError | undefined
    for (;;) {
      await writeFile(file, complaint + intro + text, { mode: 0o600 })
      await openEditor(context, file)
      const edited = withoutComments(await readFile(file, 'utf8'))
      if (edited.trim() === '' || edited === text || edited === groupedYaml([live])) {
        if (!refusal || edited.trim() === '' || edited === groupedYaml([live])) return context.say('nothing was changed')
        // Left as it was refused: the answer is that refusal.
        await keep(file, context)
        throw refusal
      }
      text = edited
      try {
        await api.call('PUT', pathOf(context.settings, kind, live.metadata), {
          body: await bodyOf(edited, live, context),
          headers: { 'if-match': etagOf(live) },
        })
        return context.print(`${kind.kind.toLowerCase()}/${name} edited`)
      } catch (error) {
        if (!(error instanceof McpgError) || (error.code !== 'invalid' && error.status !== 412)) throw error
        refusal = error
        if (error.status === 412) live = await again()
        complaint = commented(
          (await describeFailure(error, { json: false, debug: false })) +
            (error.status === 412 ? `it is now:\n${groupedYaml([live])}` : ''),
        )
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function bodyOf(text: string, live: Resource, { env }: Context) {
  const parsed = parseManifest(text, 'edit', () => undefined)
  const { objects, problems } = await readSecretSources(parsed.objects, env)
  if (parsed.problems.length + problems.length > 0) throw manifestError([...parsed.problems, ...problems])
  const [object] = objects
  if (objects.length !== 1 || !object || object.kind !== live.kind || object.metadata.name !== live.metadata.name)
    throw new McpgError(
      'invalid',
      'another_object',
      `The file must hold ${live.kind.toLowerCase()}/${live.metadata.name} and nothing else; kind and name cannot be edited.`,
    )
  const { name, labels, annotations } = object.metadata
  return {
    kind: object.kind,
    metadata: { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
    spec: object.spec,
  }
}

/** The entity tag of REST is the quoted resource version. */
const etagOf = ({ metadata }: Resource) => `"${metadata.resourceVersion}"`

/** One that is named may be a script, which needs no terminal. */
const editorOf = ({ env }: Context): string | undefined => env.env['VISUAL'] || env.env['EDITOR'] || undefined

async function openEditor(context: Context, file: string): Promise<void> {
  const { env } = context
  const editor = editorOf(context) ?? 'vi'
  // As git does it: the shell splits the words of $EDITOR, the file is an argument and never text of the command.
  const child = spawn('sh', ['-c', `${editor} "$@"`, editor, file], { stdio: 'inherit', env: env.env as NodeJS.ProcessEnv })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0)
    throw new McpgError('internal', 'editor_failed', `The editor ${editor} ended with ${code}; nothing was written.`, {
      hint: 'choose another with EDITOR',
    })
}

async function keep(file: string, { say }: Context): Promise<void> {
  const path = join(tmpdir(), `mcpg-rejected-${process.pid}.yaml`)
  await writeFile(path, await readFile(file), { mode: 0o600 })
  say(`what was refused is kept in ${path}`)
}

const withoutComments = (text: string) => text.replace(/^#.*\n?/gm, '')
const commented = (text: string) => `${text.trimEnd().replace(/^/gm, '# ')}\n`
