import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { text as readStream } from 'node:stream/consumers'
import { McpgError } from '@mcpg/proto/errors'
import type { Context } from '../context.ts'
import { showPosition, type ManifestObject, type ManifestProblem } from './manifest.ts'
import { parseManifest } from './parse.ts'
import { readSecretSources, variablesHint } from './secret-sources.ts'

/**
 * Reads the manifests of `-f`: files, folders (their .yaml, .yml and .json) and `-`, and what their secrets take from the environment and
 * from files. Throws one `invalid` error with every problem of every file, each at its file and line.
 */
export async function readManifests(
  { env }: Context,
  { file: given, expand }: { file: string[]; expand: boolean },
  /** False where only names matter. */
  { values = true }: { values?: boolean } = {},
): Promise<ManifestObject[]> {
  if (given.length === 0)
    throw new McpgError('invalid', 'missing_flag', 'No manifest is given.', {
      hint: 'name one with -f <file>, -f <folder> or -f - (MCPG_FILE)',
    })
  const objects: ManifestObject[] = []
  const problems: ManifestProblem[] = []
  for (const source of given) {
    for (const { name, text } of await sourcesOf(source, env)) {
      const manifest = parseManifest(text, name, expand ? (variable) => env.env[variable] : undefined)
      objects.push(...manifest.objects)
      problems.push(...manifest.problems)
    }
  }
  problems.push(...duplicates(objects))
  const read = values ? await readSecretSources(objects, env) : { objects, problems: [] }
  problems.push(...read.problems)
  if (problems.length > 0) throw manifestError(problems)
  return read.objects
}

export function manifestError(problems: ManifestProblem[]): McpgError {
  const missing = problems.flatMap(({ variable }) => variable ?? [])
  const count = problems.length === 1 ? '1 error' : `${problems.length} errors`
  return new McpgError('invalid', 'bad_manifest', `The manifest has ${count}; nothing was written.`, {
    hint: missing.length === problems.length ? variablesHint(missing) : 'mcpg-ctl explain <kind> shows the fields of a kind',
    violations: problems.map(({ position, path, detail }) => ({
      pointer: showPosition(position),
      detail: path ? `${path} ${detail}` : detail,
    })),
  })
}

async function sourcesOf(source: string, env: Context['env']): Promise<{ name: string; text: string }[]> {
  if (source === '-') return [{ name: '(stdin)', text: await readStream(env.stdin) }]
  const path = resolve(env.cwd, source)
  try {
    const facts = await stat(path)
    if (!facts.isDirectory()) return [{ name: source, text: await readFile(path, 'utf8') }]
    const names = (await readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort()
    if (names.length === 0) throw new McpgError('invalid', 'no_manifest', `${source} holds no .yaml, .yml or .json file.`)
    return await Promise.all(
      names.map(async (name) => ({ name: relative(env.cwd, join(path, name)), text: await readFile(join(path, name), 'utf8') })),
    )
  } catch (error) {
    if (error instanceof McpgError) throw error
    throw new McpgError('invalid', 'manifest_unreadable', `The manifest ${source} cannot be read.`, {
      cause: error,
      hint: 'name a file or a folder that can be read with -f <path>, or standard input with -f -',
    })
  }
}

function duplicates(objects: ManifestObject[]): ManifestProblem[] {
  const seen = new Map<string, ManifestObject>()
  return objects.flatMap((object) => {
    const key = `${object.kind}/${object.metadata.name}`
    const first = seen.get(key)
    if (!first) seen.set(key, object)
    return first
      ? [
          {
            position: object.locate('/metadata/name'),
            path: '',
            detail: `${key} is given twice, first at ${showPosition(first.locate('/metadata/name'))}`,
          },
        ]
      : []
  })
}
