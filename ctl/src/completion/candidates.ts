import type { Command, Option } from 'commander'
import { verbs } from '@mcpg/proto/access'
import { operations } from '@mcpg/proto/grants'
import { clientNames } from '../clients/clients.ts'

/** Words that only the kinds and the control plane know; `objects` answers none when there is no answer at once. */
export type Names = {
  kinds: () => Promise<string[]>
  /** `server.` → its fields, each with the path before it. */
  fields: (path: string) => Promise<string[]>
  objects: (kind: string, scope: Record<string, string>) => Promise<string[]>
}

/** Commands whose arguments are a kind and its names, or `kind/name`. */
const byKind = new Set(['get', 'describe', 'delete', 'edit', 'patch', 'wait'])
/** Commands about one gateway. */
const byGateway = new Set(['rollback', 'resume', 'diff'])
/** Flags whose value is the name of an object. */
const flagKinds: Record<string, string> = {
  '--org': 'orgs',
  '--workspace': 'workspaces',
  '--environment': 'environments',
  '--project': 'projects',
  '--gateway': 'gateways',
  '--server': 'servers',
  '--from-template': 'templates',
}
/** Flags that say where the objects are that are completed. */
const scopeFlags: Record<string, string> = {
  '--org': 'org',
  '--workspace': 'workspace',
  '--environment': 'environment',
  '--project': 'project',
}

type Place = { command: Command; args: string[]; before: Option | undefined; current: string; scope: Record<string, string> }

/** What may stand at the last of `words`. */
export async function candidates(program: Command, words: string[], names: Names): Promise<string[]> {
  const last = words.at(-1) ?? ''
  const place = walk(program, words.slice(0, -1), last)
  const [, flag, part] = /^(--[^=]+)=(.*)$/s.exec(last) ?? []
  const option = flag === undefined ? undefined : optionOf(program, place.command, flag)
  if (option && part !== undefined) {
    const values = await valuesOf(option, { ...place, current: part }, names)
    return sorted(values, part).map((value) => `${flag}=${value}`)
  }
  return sorted(await wordsAt(program, place, names), last)
}

const sorted = (found: string[], begin: string) => [...new Set(found)].filter((word) => word.startsWith(begin)).sort()

async function wordsAt(program: Command, place: Place, names: Names): Promise<string[]> {
  const { command, before, current } = place
  if (before) return await valuesOf(before, place, names)
  if (current.startsWith('-'))
    return [...command.options, ...program.options]
      .filter(({ hidden }) => !hidden)
      .flatMap(({ long }) => (long ? [long] : []))
      .concat('--help')
  const visible = command.commands.filter((one) => !('_hidden' in one && one._hidden) && !one.name().startsWith('__'))
  if (visible.length > 0) return visible.map((one) => one.name())
  return await argumentsAt(place, names)
}

/** What a flag takes. */
async function valuesOf({ long, argChoices }: Option, { command, scope, current }: Place, names: Names): Promise<string[]> {
  if (argChoices) return argChoices
  if (long === '--from' && command.parent?.name() === 'create') return await names.objects(command.name(), scope)
  if (long === '--for' && command.name() === 'get') return await pairs(current, scope, names)
  if (long === '--for' && command.name() === 'wait') return ['condition=Ready', 'delete', 'state=ready', 'state=stopped', 'state=online']
  const kind = flagKinds[long ?? '']
  return kind ? await names.objects(kind, scope) : []
}

async function argumentsAt({ command, args, current, scope }: Place, names: Names): Promise<string[]> {
  const name = command.name()
  const parent = command.parent?.name()
  if (name === 'completion') return ['bash', 'zsh', 'fish', 'powershell']
  if (parent === 'server') return await names.objects('servers', scope)
  if (parent === 'secret') return await names.objects('secrets', scope)
  if (parent === 'token') return name === 'create' ? [] : await names.objects('tokens', scope)
  if (parent === 'project' || name === 'import') return args.length === 0 ? [...clientNames] : []
  if (parent === 'create') return []
  if (name === 'revoke' && parent === 'enroll') return await names.objects('enrollments', scope)
  if (name === 'can-i')
    return args.length === 0 ? [...verbs, ...operations] : current.includes('/') ? await pairs(current, scope, names) : names.kinds()
  if (name === 'explain') return current.includes('.') ? names.fields(current) : names.kinds()
  if (byGateway.has(name)) return args.length > 0 ? [] : (await names.objects('gateways', scope)).map((one) => `gateway/${one}`)
  if (name === 'logs') return await logTargets(current, scope, names)
  if (!byKind.has(name)) return []
  if (current.includes('/')) return await pairs(current, scope, names)
  const [kind] = args
  if (kind === undefined) return [...(await listedKinds(current, names)), ...(name === 'get' || name === 'delete' ? ['all'] : [])]
  // Once an object is named, patch goes on with its fields.
  const isNamed = args.length > 1 || kind.includes('/')
  const fields =
    name === 'patch' && isNamed
      ? (await names.fields(`${kind.split('/')[0]!}.${current}`)).map((path) => `${path.slice(path.indexOf('.') + 1)}=`)
      : []
  return [...(kind.includes('/') ? [] : await names.objects(kind, scope)), ...fields]
}

/** Kinds; behind a comma, those that may follow. */
async function listedKinds(current: string, names: Names): Promise<string[]> {
  const before = current.slice(0, current.lastIndexOf(',') + 1)
  return (await names.kinds()).map((kind) => `${before}${kind}`)
}

async function logTargets(current: string, scope: Record<string, string>, names: Names): Promise<string[]> {
  if (current.includes('/')) return await pairs(current, scope, names)
  return [...(await names.objects('servers', scope)), 'instance/', 'gateway/', 'control-plane']
}

async function pairs(current: string, scope: Record<string, string>, names: Names): Promise<string[]> {
  const slash = current.indexOf('/')
  if (slash < 0) return (await names.kinds()).map((kind) => `${kind}/`)
  const kind = current.slice(0, slash)
  return (await names.objects(kind, scope)).map((name) => `${kind}/${name}`)
}

const optionOf = (program: Command, command: Command, word: string): Option | undefined =>
  [...command.options, ...program.options].find(({ short, long }) => word === short || word === long)

/** The command the words lead to, its arguments so far, the flag that still waits for its value, and what the flags say about where. */
function walk(program: Command, words: string[], current: string): Place {
  let command = program
  let before: Option | undefined
  const args: string[] = []
  const scope: Record<string, string> = {}
  const note = (option: Option | undefined, value: string) => {
    const level = scopeFlags[option?.long ?? '']
    if (level) scope[level] = value
  }
  for (const word of words) {
    if (before) {
      note(before, word)
      before = undefined
      continue
    }
    if (word.startsWith('-')) {
      const [, flag = word, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? []
      const option = optionOf(program, command, flag)
      if (value !== undefined) note(option, value)
      else if (option?.required) before = option
      continue
    }
    const next = args.length === 0 ? command.commands.find((one) => one.name() === word || one.aliases().includes(word)) : undefined
    if (next) command = next
    else args.push(word)
  }
  return { command, args, before, current, scope }
}
