import type { Command } from 'commander'
import type { Api } from './api/client.ts'
import type { Env } from './env.ts'
import type { GlobalFlags, Settings } from './settings.ts'

/** What every command is given. */
export type Context = {
  env: Env
  /** The tree of all commands. */
  root: Command
  settings: Settings
  stopping: AbortSignal
  /** The global flags as they stand, for programs that are started in this process. */
  globals: GlobalFlags
  /** The command line as typed, without secrets, for messages that say how to go on. */
  commandLine: string
  /** Arguments that start this command again without `--detach`; what is secret stands in `env`. */
  again: { args: string[]; env: Record<string, string> }
  /** Client of the REST API; refuses plain http to another machine. */
  api: () => Promise<Api>
  /** One line of the result, on standard output. */
  print: (line: string) => void
  /** One line for the person at the terminal, on standard error; nothing with --quiet. */
  say: (line: string) => void
}

/** A command; the answer is its exit code, nothing is 0. */
export type Run<Options = Record<string, unknown>> = (context: Context, args: string[], options: Options) => Promise<number | void>

/** Binds a command to the module that holds its code, which is loaded when it runs. */
export type Bind = (load: () => Promise<{ run: Run<never> }>) => (...args: unknown[]) => Promise<void>

/** Declares a command, or those of a noun: name, arguments, flags and what they are for. */
export type Words = (program: Command, run: Bind) => void
