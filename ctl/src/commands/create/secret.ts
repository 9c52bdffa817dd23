import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import { secretKind } from '@mcpg/proto/kinds/secret'
import type { Context } from '../../context.ts'
import { createObject, metadataOf, type MetadataOptions } from '../../create/create-object.ts'
import { asJson, isObject, splitOnce } from '../../create/value.ts'
import { readValueFile, readVariable, textOf, variablesHint, type ReadSource } from '../../manifest/secret-sources.ts'

export type CreateSecretOptions = MetadataOptions & {
  fromFile: string[]
  fromEnv: string[]
  fromStdin?: string
  data: string[]
  dataFile: string[]
}

export async function run(context: Context, [name = '']: string[], options: CreateSecretOptions): Promise<void> {
  if (options.dryRun === 'client')
    throw new McpgError('unsupported', 'usage', 'Only the control plane can show a secret without its values.', {
      hint: '--dry-run=server',
    })
  const data = await valuesOf(options, context.env)
  const object = { kind: secretKind.kind, metadata: metadataOf(name, options), spec: { data } }
  await createObject(context, secretKind, object, { dryRun: options.dryRun })
}

async function valuesOf(options: CreateSecretOptions, env: Context['env']): Promise<Record<string, string>> {
  const data: Record<string, string> = {}
  const violations: Violation[] = []
  const missing: string[] = []
  const put = (flag: string, key: string, found: ReadSource) => {
    if (Object.hasOwn(data, key)) violations.push({ pointer: flag, detail: `gives the key ${key} a second time` })
    else if ('problem' in found) {
      violations.push({ pointer: flag, detail: `key ${key} ${found.problem}` })
      if (found.variable !== undefined) missing.push(found.variable)
    } else data[key] = found.value
  }
  for (const word of options.fromFile) {
    const [key = basename(word), path = word] = splitOnce(word)
    put('--from-file', key, await readValueFile(path, env.cwd))
  }
  for (const word of options.fromEnv) {
    const [key = word, variable = word] = splitOnce(word)
    put('--from-env', key, readVariable(variable, env.env))
  }
  for (const word of options.data) {
    const [key, value] = splitOnce(word)
    if (key === undefined) violations.push({ pointer: '--data', detail: 'is not key=value' })
    else put('--data', key, { value: value ?? '' })
  }
  for (const path of options.dataFile) for (const [key, value] of await linesOf(path, env.cwd)) put('--data-file', key, { value })
  if (options.fromStdin !== undefined) put('--from-stdin', options.fromStdin, { value: textOf(await buffer(env.stdin)) })
  if (violations.length > 0)
    throw new McpgError('invalid', 'bad_values', `${violations.length === 1 ? 'A value is' : `${violations.length} values are`} missing.`, {
      violations,
      ...(missing.length === violations.length && { hint: variablesHint(missing) }),
    })
  if (Object.keys(data).length === 0)
    throw new McpgError('invalid', 'usage', 'No value is given.', {
      hint: '--from-env token=GITHUB_TOKEN, --from-file token=path, --from-stdin token, or --data-file with lines key=value',
    })
  return data
}

/** A JSON object, or `key=value` lines; blank lines and those that begin with # are left out. */
async function linesOf(path: string, cwd: string): Promise<[string, string][]> {
  let text: string
  try {
    text = textOf(await readFile(resolve(cwd, path)))
  } catch (error) {
    throw new McpgError('invalid', 'file_unreadable', `The file ${path} cannot be read as text.`, { cause: error })
  }
  const json = asJson(text, isObject)
  if (json)
    return Object.entries(json).map(([key, value]) => {
      if (typeof value === 'string') return [key, value]
      throw new McpgError('invalid', 'bad_value', `The value of ${key} in ${path} is no text.`)
    })
  return text.split(/\r?\n/).flatMap((line, index): [string, string][] => {
    if (line.trim() === '' || line.startsWith('#')) return []
    const [key, value = ''] = splitOnce(line)
    if (key === undefined) throw new McpgError('invalid', 'bad_line', `Line ${index + 1} of ${path} is not key=value.`)
    return [[key, value]]
  })
}
