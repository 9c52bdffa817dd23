import type { Command, Option } from 'commander'

/** Asks for words that only the control plane knows; none when it does not answer at once. */
export type Names = { kinds: () => Promise<string[]>; objects: (kind: string) => Promise<string[]> }

/** Commands whose arguments are a kind and its names, `kind/name` or names of servers. */
const byKind = new Set(['get', 'describe', 'delete', 'edit'])
/** Commands about one gateway. */
const byGateway = new Set(['rollback', 'resume', 'diff'])

/** What may stand at the last of `words`. */
export async function candidates(program: Command, words: string[], names: Names): Promise<string[]> {
  const current = words.at(-1) ?? ''
  const { command, args, before } = walk(program, words.slice(0, -1))
  const found = await wordsAt(program, command, args, before, current, names)
  return [...new Set(found)].filter((word) => word.startsWith(current)).sort()
}

async function wordsAt(
  program: Command,
  command: Command,
  args: string[],
  before: Option | undefined,
  current: string,
  names: Names,
): Promise<string[]> {
  if (before && (before.required || before.optional)) return before.argChoices ?? []
  if (current.startsWith('-'))
    return [...command.options, ...program.options]
      .filter(({ hidden }) => !hidden)
      .flatMap(({ long }) => (long ? [long] : []))
      .concat('--help')
  const visible = command.commands.filter((one) => !('_hidden' in one && one._hidden) && !one.name().startsWith('__'))
  if (visible.length > 0) return visible.map((one) => one.name())
  if (command.name() === 'completion') return ['bash', 'zsh', 'fish', 'powershell']
  if (command.parent?.name() === 'server') return names.objects('servers')
  if (command.parent?.name() === 'secret') return names.objects('secrets')
  if (command.parent?.name() === 'create') return []
  if (command.name() === 'revoke') return names.objects('enrollments')
  if (command.name() === 'explain') return names.kinds()
  if (byGateway.has(command.name())) return args.length > 0 ? [] : (await names.objects('gateways')).map((name) => `gateway/${name}`)
  if (command.name() === 'logs') return logTargets(current, names)
  if (command.name() === 'wait' || (byKind.has(command.name()) && current.includes('/'))) return pairs(current, names)
  if (!byKind.has(command.name())) return []
  return args.length === 0 ? names.kinds() : names.objects(args[0]!)
}

async function logTargets(current: string, names: Names): Promise<string[]> {
  if (current.includes('/')) return pairs(current, names)
  return [...(await names.objects('servers')), 'instance/', 'gateway/', 'control-plane']
}

async function pairs(current: string, names: Names): Promise<string[]> {
  const slash = current.indexOf('/')
  if (slash < 0) return (await names.kinds()).map((kind) => `${kind}/`)
  const kind = current.slice(0, slash)
  return (await names.objects(kind)).map((name) => `${kind}/${name}`)
}

/** The command the words lead to, its arguments so far, and the flag that still waits for its value. */
function walk(program: Command, words: string[]): { command: Command; args: string[]; before: Option | undefined } {
  let command = program
  let before: Option | undefined
  const args: string[] = []
  for (const word of words) {
    if (before?.required) {
      before = undefined
      continue
    }
    before = undefined
    if (word.startsWith('-')) {
      if (!word.includes('=')) before = [...command.options, ...program.options].find(({ short, long }) => word === short || word === long)
      continue
    }
    const next = args.length === 0 ? command.commands.find((one) => one.name() === word) : undefined
    if (next) command = next
    else args.push(word)
  }
  return { command, args, before: before?.required ? before : undefined }
}
