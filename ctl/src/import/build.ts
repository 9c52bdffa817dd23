import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import type { ManifestObject } from '../manifest/manifest.ts'
import type { Draft, ImportProblem } from './draft.ts'
import type { judge } from './secret-values.ts'
import { fillIn, soleVariable, type Variables } from './variables.ts'

/** One value that became a key of a secret. `variable` is where a printed manifest takes it from, `made` how it is made of other variables. */
export type Taken = { key: string; value: string; variable: string; of: string; made?: string }
export type Built = { objects: ManifestObject[]; taken: Taken[]; problems: ImportProblem[] }

type Judge = ReturnType<typeof judge>
/** `isPrinted`: nothing is sent, so a secret that is a variable need not be set. */
type Options = { variables: Variables; judge: Judge; folder: string; isPrinted: boolean }

/** The secrets of a file as a printed manifest takes their values. */
export function withoutValues(objects: ManifestObject[], taken: Taken[]): ManifestObject[] {
  return objects.map((object) => {
    if (object.kind !== 'Secret') return object
    const of = `secret/${object.metadata.name}`
    const data = Object.entries(object.spec['data'] as Record<string, string>).map(([key, value]) => {
      const variable = variableFor(`${object.metadata.name}_${key}`)
      taken.push({ key, value, variable, of })
      return [key, { fromEnv: variable }]
    })
    return { ...object, spec: { data: Object.fromEntries(data) as Record<string, unknown> } }
  })
}

/** Turns drafts into servers, with what is secret in them as keys of secrets. */
export async function build(drafts: Draft[], options: Options): Promise<Built> {
  const built: Built = { objects: [], taken: [], problems: [] }
  for (const draft of drafts) await buildServer(draft, options, built)
  return built
}

async function buildServer(draft: Draft, { variables, judge, folder, isPrinted }: Options, built: Built): Promise<void> {
  const secret = `${draft.name.slice(0, 51).replace(/-+$/, '')}-credentials`
  const problems: ImportProblem[] = []
  const data: Record<string, unknown> = {}
  const env = [...fromFile(await readEnvFile()), ...Object.entries(draft.env)]
  const { envFile: _envFile, env: references = [], cwd, ...fields } = draft.fields
  const spec = {
    ...source(),
    ...(env.length + (references as unknown[]).length > 0 && {
      env: [...[...new Map(env)].map(([name, value]) => valued('env', name, value)), ...(references as unknown[])],
    }),
    ...(typeof cwd === 'string' && { cwd: resolve(folder, plainly('cwd', cwd)) }),
    ...fields,
  }
  built.problems.push(...problems)
  if (problems.length > 0) return
  if (Object.keys(data).length > 0) built.objects.push(objectOf('Secret', secret, { data }))
  built.objects.push(objectOf('Server', draft.name, spec))

  function source(): Record<string, unknown> {
    if ('command' in draft.source) return { command: argumentsOf(draft.source.command) }
    if ('package' in draft.source) {
      const { args, ...rest } = draft.source.package
      return { package: { ...rest, ...(args && { args: argumentsOf(args) }) } }
    }
    const headers = Object.entries(draft.headers).map(([name, value]) => valued('headers', name, value))
    return { url: { ...draft.source, url: urlOf(draft.source.url), ...(headers.length > 0 && { headers }) } }
  }

  /** A variable or header, by its value or by the key that now holds it. */
  function valued(room: 'env' | 'headers', name: string, text: string): Record<string, unknown> {
    const { text: value, missing } = fillIn(text, variables)
    if (!judge.isSecret(name, missing.length > 0 ? '?' : value))
      return { name, value: missing.length > 0 ? complain(room, missing) : value }
    const sole = soleVariable(text)
    if (missing.length > 0 && !(isPrinted && (sole !== undefined || isMadeOf(text)))) complain(room, missing)
    const variable = sole ?? variableFor(room === 'env' ? name : `${draft.name}_${name}`)
    const isTaken = built.taken.some((one) => one.variable === variable && one.value !== value)
    const own: Taken = { key: name, value, variable: isTaken ? variableFor(`${draft.name}_${name}`) : variable, of: `server/${draft.name}` }
    built.taken.push({ ...own, ...(!sole && isMadeOf(text) && { made: text }) })
    data[name] = isPrinted ? { fromEnv: own.variable } : value
    return { name, valueFrom: { secretRef: { name: secret, key: name } } }
  }

  /** Arguments stand in process lists, and no secret can be put into them. */
  function argumentsOf(words: string[]): string[] {
    return words.map((word, index) => {
      const text = plainly('args', word)
      const [, flag, value] = /^-{0,2}([A-Za-z][\w-]*)=(.*)$/s.exec(text) ?? []
      const before = /^--?([A-Za-z][\w-]*)$/.exec(words[index - 1] ?? '')?.[1]
      const name = flag ?? (text.startsWith('-') ? undefined : before) ?? ''
      if (index > 0 && judge.isSecret(name, value ?? text))
        refuse(
          'args',
          `${name ? `the value of ${name}` : `argument ${index}`} looks like a secret, and arguments can be read by others; give it to the server as a variable`,
          name,
        )
      return text
    })
  }

  function urlOf(text: string): string {
    const filled = plainly('url', text)
    const url = URL.canParse(filled) ? new URL(filled) : undefined
    if (url?.password) refuse('url', 'its URL has a password in it, which others would read; give it as a header', 'password')
    for (const [name, value] of url?.searchParams ?? [])
      if (judge.isSecret(name, value))
        refuse('url', `the parameter ${name} of its URL looks like a secret, which others would read; give it as a header`, name)
    return filled
  }

  function refuse(room: string, what: string, name: string): void {
    complaint(room, `${what}${name ? `, or say --plain ${name}` : ''}`)
  }

  function plainly(room: string, text: string): string {
    const { text: filled, missing } = fillIn(text, variables)
    if (missing.length > 0) complain(room, missing)
    return filled
  }

  function complain(room: string, missing: string[]): string {
    const isOne = missing.length === 1
    complaint(room, `wants the ${isOne ? 'variable' : 'variables'} ${missing.join(', ')}, which ${isOne ? 'is' : 'are'} not set`)
    return ''
  }

  function complaint(room: string, what: string): void {
    problems.push({ position: draft.at(room), detail: `${draft.name}: ${what}`, server: draft.name })
  }

  async function readEnvFile(): Promise<string | undefined> {
    const { envFile } = draft.fields
    if (typeof envFile !== 'string') return undefined
    try {
      return await readFile(resolve(folder, plainly('envFile', envFile)), 'utf8')
    } catch (error) {
      const { code = 'is no text' } = error as NodeJS.ErrnoException
      complaint('envFile', `its envFile cannot be read (${code})`)
      return undefined
    }
  }

  function objectOf(kind: string, name: string, spec: Record<string, unknown>): ManifestObject {
    return { kind, metadata: { name }, spec, locate: (pointer) => draft.at(pointer.split('/')[2]) }
  }
}

const fromFile = (text: string | undefined): [string, string][] =>
  text === undefined ? [] : Object.entries(parseEnv(text)).map(([name, value]) => [name, value ?? ''])

/** Nothing but a reference behind the word that says how one signs in. */
const isMadeOf = (text: string) => soleVariable(text.replace(/^(Bearer|Basic|Token) /i, '')) !== undefined

const variableFor = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')
