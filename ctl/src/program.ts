import { Command, CommanderError } from 'commander'
import { McpgError } from '@mcpg/proto/errors'
import { version } from '@mcpg/proto/version'
import { declareCommands } from './commands.ts'
import type { Bind, Context } from './context.ts'
import type { Env } from './env.ts'
import { describeFailure, exitCodeOf, Interrupted, usageError } from './failure.ts'
import { readFlagsFromEnvironment } from './flag-environment.ts'
import { addGlobalFlags, secretFlags } from './global-flags.ts'
import { settingsOf, type GlobalFlags } from './settings.ts'
import { commandLineOf, startAgain } from './start-again.ts'

/** Runs one command line and answers its exit code; nothing is thrown and the process is not ended. */
export async function runProgram(argv: string[], env: Env): Promise<number> {
  let exitCode = 0
  const program = await createProgram(env, argv, (code) => (exitCode = code))
  try {
    await program.parseAsync(argv.length > 0 ? joinValues(program, argv) : ['--help'], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')) return error.exitCode === 0 ? 0 : 2
    if (error instanceof Interrupted) {
      if (error.message) env.stderr.write(`${error.message}\n`)
      return 130
    }
    const json = wantsJson(argv, env)
    const failure = error instanceof CommanderError ? usageError(error, helpFor(program, argv)) : error
    env.stderr.write(await describeFailure(failure, { json, debug: argv.includes('--debug') || env.env['MCPG_DEBUG'] === '1' }))
    return exitCodeOf(failure)
  }
}

/** The whole tree of commands; the code of each is loaded when it runs. */
export async function createProgram(env: Env, argv: string[], onExitCode: (code: number) => void): Promise<Command> {
  const program = new Command('mcpg-ctl')
  program
    .description('Control plane, gateways and MCP servers from the command line.')
    .version(version, '-v, --version', 'print the version')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => env.stdout.write(text),
      // Errors are printed once, by runProgram; help that follows a wrong command line is not.
      writeErr: (text) => env.stderr.write(text),
      outputError: () => {},
      getOutHelpWidth: () => env.columns,
      getErrHelpWidth: () => env.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .helpCommand(true)
    .addHelpText('after', '\nEvery flag --some-flag can also be given as the environment variable MCPG_SOME_FLAG.')
  addGlobalFlags(program)
  program.hook('preAction', (_root, command) => readFlagsFromEnvironment(command, env.env))
  const run = runner(program, env, onExitCode)
  declareCommands(program, run)
  // What may be created is told by the kinds, and loading them would make every other command slower.
  if (argv.includes('create')) (await import('./create/declare.ts')).declareKinds(program, run)
  return program
}

/** `--flag value` as one word, so that a value that begins with - is not taken for a flag of all commands (`--package-arg -v`). */
function joinValues(program: Command, argv: string[]): string[] {
  const words: string[] = []
  let command = program
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!
    if (word === '--') return [...words, ...argv.slice(index)]
    const option = [...command.options, ...program.options].find(({ long, short }) => word === long || word === short)
    const value = argv[index + 1]
    if (option?.required && option.long && value !== undefined) {
      words.push(`${option.long}=${value}`)
      index++
      continue
    }
    command = command.commands.find((one) => one.name() === word || one.aliases().includes(word)) ?? command
    words.push(word)
  }
  return words
}

function runner(program: Command, env: Env, onExitCode: (code: number) => void): Bind {
  return (load) =>
    async (...args) => {
      const command = args.at(-1) as Command
      warnOfSecrets(command, env)
      refuseProject(program, command)
      refuseAs(program, command)
      const { run } = await load()
      const context = contextOf(program, command, env)
      onExitCode((await run(context, command.args, command.opts() as never)) ?? 0)
    }
}

function contextOf(program: Command, command: Command, env: Env): Context {
  const globals: GlobalFlags = program.opts()
  const settings = settingsOf(globals, env, program.getOptionValueSource('environment') !== 'default')
  return {
    env,
    root: program,
    settings,
    globals,
    stopping: env.stopping,
    commandLine: commandLineOf(command),
    again: startAgain(command),
    api: async () => (await import('./api/client.ts')).createApi({ settings, env }),
    print: (line) => void env.stdout.write(`${line}\n`),
    say: (line) => void (settings.quiet || env.stderr.write(`${line}\n`)),
  }
}

/** Commands over kinds, some of which live in projects. */
const overKinds: ReadonlySet<string> = new Set([
  'can-i',
  'get',
  'describe',
  'apply',
  'plan',
  'edit',
  'patch',
  'delete',
  'diff',
  'approve',
  'reject',
  'explain',
  'wait',
  '__complete',
])

/** Ignored, it would act on more than was meant. */
function refuseProject(program: Command, command: Command): void {
  const isAboutOne =
    ['project', 'create', 'token'].includes(command.parent?.name() ?? '') || command.name() === 'mcp' || overKinds.has(command.name())
  if (program.getOptionValue('project') === undefined || isAboutOne) return
  throw new McpgError('unsupported', 'project_unused', `${command.name()} is not about one project.`, {
    hint: 'leave out --project (MCPG_PROJECT)',
  })
}

/** What is about oneself, or asks nobody who could act for somebody else. */
function refuseAs(program: Command, command: Command): void {
  const isUnused = ['login', 'logout', 'passwd', 'stop'].includes(command.name()) || isAtEndpoint(command)
  if (program.getOptionValue('as') === undefined || !isUnused) return
  throw new McpgError('unsupported', 'as_unused', `${command.name()} is not done for somebody else.`, { hint: 'leave out --as (MCPG_AS)' })
}

const isAtEndpoint = (command: Command): boolean => command.name() === 'mcp' && command.getOptionValue('viaControlPlane') !== true

/** The command line that shows the help of the command that was meant. */
function helpFor(program: Command, argv: string[]): string {
  let command = program
  const path = ['mcpg-ctl']
  for (const word of joinValues(program, argv)) {
    if (word.startsWith('-')) continue
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word))
    if (!next) break
    command = next
    path.push(word)
  }
  return [...path, '--help'].join(' ')
}

/** Once, and only to a person: scripts that are published use these flags. */
function warnOfSecrets(command: Command, env: Env): void {
  if (!env.isTTY.stderr) return
  const typed: string[] = []
  for (let level: Command | null = command; level; level = level.parent)
    for (const option of level.options)
      if (secretFlags.has(option.attributeName()) && level.getOptionValueSource(option.attributeName()) === 'cli')
        typed.push(option.long ?? '')
  if (typed.length === 0) return
  const variables = typed.map((flag) => `MCPG_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`)
  env.stderr.write(
    `warning: ${typed.join(', ')} can be read by others in the process list and the shell history; use ${variables.join(', ')} instead\n`,
  )
}

/** For errors that arise before the flags are parsed, and all others alike. */
function wantsJson(argv: string[], env: Env): boolean {
  const output = env.env['MCPG_OUTPUT']
  const given = argv.some(
    (arg, index) =>
      arg === '--json' || arg === '-ojson' || arg === '--output=json' || (/^(-o|--output)$/.test(arg) && argv[index + 1] === 'json'),
  )
  return given || output === 'json' || /^(1|true)$/.test(env.env['MCPG_JSON'] ?? '')
}
