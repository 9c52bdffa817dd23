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
  const program = createProgram(env, (code) => (exitCode = code))
  try {
    await program.parseAsync(argv.length > 0 ? argv : ['--help'], { from: 'user' })
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
export function createProgram(env: Env, onExitCode: (code: number) => void): Command {
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
  declareCommands(program, runner(program, env, onExitCode))
  return program
}

function runner(program: Command, env: Env, onExitCode: (code: number) => void): Bind {
  return (load) =>
    async (...args) => {
      const command = args.at(-1) as Command
      warnOfSecrets(command, env)
      refuseProject(program)
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

/** Accepted so that a command line of a later version is understood; ignored, it would act on more than was meant. */
function refuseProject(program: Command): void {
  if (program.getOptionValue('project') === undefined) return
  throw new McpgError('unsupported', 'projects_missing', 'Projects are not there yet.', { hint: 'leave out --project (MCPG_PROJECT)' })
}

/** The command line that shows the help of the command that was meant. */
function helpFor(program: Command, argv: string[]): string {
  let command = program
  const path = ['mcpg-ctl']
  for (const word of argv) {
    const next = command.commands.find((one) => one.name() === word)
    if (!next) continue
    command = next
    path.push(word)
    if (next.commands.length === 0) break
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
