import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { maxSecretValueBytes, SecretText, secretKind, type SecretManifest } from '@mcpg/proto/kinds/secret'
import type { Env } from '../env.ts'
import type { ManifestObject, ManifestProblem } from './manifest.ts'

type Source = SecretManifest['data'][string]

/** A value, or what is wrong with where it should come from. Messages name variables and files, never what is in them. */
export type ReadSource = { value: string } | { problem: string; variable?: string }

/**
 * Puts the values that secrets take `fromEnv` and `fromFile` in their places: these are read here and never sent. Relative files are looked
 * for beside their manifest. Everything that is missing is told at once, at its line.
 */
export async function readSecretSources(
  objects: ManifestObject[],
  env: Pick<Env, 'env' | 'cwd'>,
): Promise<{ objects: ManifestObject[]; problems: ManifestProblem[] }> {
  const problems: ManifestProblem[] = []
  const read = await Promise.all(objects.map(async (object) => (object.kind === secretKind.kind ? await withValues(object) : object)))
  return { objects: read, problems }

  async function withValues(object: ManifestObject): Promise<ManifestObject> {
    const data: Record<string, unknown> = {}
    for (const [key, source] of Object.entries((object.spec as SecretManifest).data)) {
      const pointer = `/spec/data/${key}`
      const found = await readSource(source, { env: env.env, folder: folderOf(object.locate(pointer).file, env.cwd) })
      if (found === null) data[key] = source
      else if ('value' in found) data[key] = found.value
      else
        problems.push({
          position: object.locate(pointer),
          path: '',
          detail: `secret/${object.metadata.name} key ${key} ${found.problem}`,
          ...(found.variable !== undefined && { variable: found.variable }),
        })
    }
    return { ...object, spec: { data } }
  }
}

/** Null for what is sent as it is. */
async function readSource(source: Source, where: { env: Env['env']; folder: string }): Promise<ReadSource | null> {
  if (typeof source === 'string' || 'keep' in source) return null
  return 'fromEnv' in source ? readVariable(source.fromEnv, where.env) : await readValueFile(source.fromFile, where.folder)
}

export function readVariable(name: string, env: Env['env']): ReadSource {
  const value = env[name]
  return value === undefined
    ? { problem: `wants the variable ${name}, which is not set`, variable: name }
    : checked(value, `the variable ${name}`)
}

/** The next step where nothing but these variables is missing. */
export const variablesHint = (names: string[]): string =>
  `set ${[...new Set(names)].join(', ')} in the environment of this command (${names[0]}=… mcpg-ctl …), or read the value from a file`

/** The text of a file without its last line break, which an editor or `echo` put there. */
export async function readValueFile(path: string, folder: string): Promise<ReadSource> {
  const file = resolve(folder, path)
  try {
    if ((await stat(file)).size > maxSecretValueBytes + 2)
      return { problem: `wants ${path}, which is longer than ${maxSecretValueBytes >> 10} KiB` }
    return checked(textOf(await readFile(file)), path)
  } catch (error) {
    const code = error instanceof TypeError ? undefined : (error as NodeJS.ErrnoException).code
    return {
      problem: `wants ${path}, which ${code === 'ENOENT' ? 'is not there' : code ? `cannot be read (${code})` : 'is not text in UTF-8'}`,
    }
  }
}

export const textOf = (bytes: Buffer): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '')

function checked(value: string, what: string): ReadSource {
  const parsed = SecretText.safeParse(value)
  return parsed.success ? { value } : { problem: `wants ${what}, which ${parsed.error.issues[0]?.message ?? 'cannot be a value'}` }
}

/** `(stdin)` has no folder. */
const folderOf = (file: string, cwd: string): string => (file.startsWith('(') ? cwd : dirname(resolve(cwd, file)))
