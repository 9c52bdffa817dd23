import { Option, type Command } from 'commander'
import { kinds } from '@mcpg/proto/kinds'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import { serverAttachmentKind } from '@mcpg/proto/kinds/server-attachment'
import { tenancyKinds } from '../api/tenancy.ts'
import type { Bind } from '../context.ts'
import { tokenFlags } from '../tokens/flags.ts'
import { flagsOf, type Flag } from './flags.ts'
import { publishedNames, serverFlags } from './published.ts'

const collect = (value: string, list: string[] = []) => [...list, value]
const dryRun = () =>
  new Option('--dry-run [side]', 'write nothing: ask the control plane (server), or only check and show it (client)')
    .choices(['server', 'client'])
    .preset('server')
const several = (flags: string, what: string) => new Option(flags, what).argParser(collect).default([], 'none')

/** Declares `create <kind>` for every kind that is stored, with a flag for each of its fields. */
export function declareKinds(program: Command, run: Bind): void {
  const create = program.commands.find((one) => one.name() === 'create')
  if (!create) return
  for (const kind of kinds) if (!kind.virtual) declareKind(create, kind, run)
  for (const kind of tenancyKinds)
    create
      .command(kind.kind.toLowerCase())
      .aliases([kind.plural, ...kind.aliases].filter((alias) => alias !== kind.kind.toLowerCase()))
      .argument('<name>')
      .description(
        `${firstSentence(kind.description)}${kind.above.length > 0 ? `; made in that of ${kind.above.map((level) => `--${level}`).join(' and ')}` : ''}`,
      )
      .option('--display-name <text>', 'what people read instead of the name')
      .action(run(async () => (await import('../commands/create/tenancy.ts')).creatingTenancy(kind)))
  declareToken(create, run)
  declareAttachment(create, run)
}

/** No manifest makes a token: there would be nobody to show it to. */
function declareToken(create: Command, run: Bind): void {
  const command = create
    .command('mcptoken')
    .argument('<name>')
    .description('Make a token of an MCP client that uses the project of -p; it is shown once')
  tokenFlags(command)
    .aliases(['tokens', 'mcptokens', 'token'])
    .action(run(() => import('../commands/create/mcptoken.ts')))
}

/** A view of a field of the project, and so without fields of its own. */
function declareAttachment(create: Command, run: Bind): void {
  const { plural, aliases, kind } = serverAttachmentKind
  create
    .command(kind.toLowerCase())
    .argument('<project/server>', 'or the server alone, with -p <project>')
    .aliases([plural, ...aliases.filter((alias) => alias !== kind.toLowerCase())])
    .description('Give a project one more server')
    .addOption(dryRun())
    .action(run(() => import('../commands/create/server-attachment.ts')))
}

function declareKind(create: Command, kind: KindDeclaration, run: Bind): void {
  const noun = kind.kind.toLowerCase()
  const command = create
    .command(noun)
    .argument('<name>')
    .description(firstSentence(kind.description))
    .aliases([...new Set([kind.plural, ...kind.aliases])].filter((alias) => alias !== noun))
  if (kind.kind === 'Secret') declareSecret(command, run)
  else declareFields(command, kind, run)
  command
    .addOption(several('--label <key=value>', 'label of the object; may be given several times'))
    .addOption(several('--annotation <key=value>', 'text beside the object; may be given several times'))
    .addOption(dryRun())
}

function declareFields(command: Command, kind: KindDeclaration, run: Bind): void {
  const flags = flagsOf(kind)
  for (const flag of flags) addFlag(command, flag, flag.flag)
  for (const [name, meant] of Object.entries(publishedNames[kind.kind] ?? {})) {
    const flag = flags.find((one) => one.flag === meant)
    if (flag) addFlag(command, flag, name, `the same as --${meant}`)
  }
  if (kind.sensitive.length === 0) command.option('--from <name>', `begin with another ${kind.kind} and change what the other flags say`)
  if (kind.kind === 'Server') {
    command.argument('[command...]', 'behind --: program and arguments of the server')
    command.option('--from-template <name[:version]>', 'begin with a template, in this version or the newest')
    command.addOption(several('--param <name=value>', 'parameter of the template; may be given several times'))
    for (const [flag, what] of serverFlags) command.option(flag, what)
  }
  if (kind.kind === 'RoleBinding')
    command.addOption(
      several(
        '--role-binding <rule>',
        'instead of --role: role:<verb>,resource:<kind>[,name:<name>] or action:<operation>, for a role of its own',
      ),
    )
  if (kind.kind === 'User')
    command.option('--password <text>', 'what they sign in with, which others can read in the process list; better MCPG_PASSWORD')
  command.action(run(async () => (await import('../commands/create/object.ts')).creating(kind)))
}

function addFlag(command: Command, { takes, schema, placeholder }: Flag, name: string, description = textOf(schema)): void {
  const short = name === 'description' ? '-d, ' : ''
  if (takes === 'switch') command.option(`--${name}`, description).option(`--no-${name}`, `the opposite of --${name}`)
  else if (takes === 'value') command.option(`${short}--${name} <${placeholder}>`, description)
  else command.addOption(several(`--${name} <${placeholder}>`, `${description}${description ? '; ' : ''}may be given several times`))
}

function declareSecret(command: Command, run: Bind): void {
  command
    .addOption(several('--from-file <key=path>', 'value from a file; without key= it is called like the file'))
    .addOption(several('--from-env <key=VAR>', 'value from a variable of this environment; without key= it is called like the variable'))
    .option('--from-stdin <key>', 'value from standard input')
    .addOption(
      several('--data <key=value>', 'value on the command line, which others can read in the process list; better the flags above'),
    )
    .addOption(several('--data-file <file>', 'file of lines key=value, or of a JSON object'))
    .action(run(() => import('../commands/create/secret.ts')))
}

const firstSentence = (text: string) => /^.*?[.](?= |$)/s.exec(text)?.[0].replace(/\.$/, '') ?? text
const textOf = ({ description = '' }: Flag['schema']) =>
  /^[A-Z][a-z]/.test(description) ? description[0]!.toLowerCase() + description.slice(1) : description
