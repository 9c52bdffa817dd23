import { resolve } from 'node:path'
import { homedir } from 'node:os'
import type { Env } from './env.ts'
import type { OutputFormat } from './global-flags.ts'

/** The global flags, resolved. */
export type Settings = {
  stateDir: string
  output: OutputFormat
  quiet: boolean
  /** False: a question is an error that names the flag which answers it. */
  input: boolean
  color: boolean
  debug: boolean
  /** Not given: the run file of this state dir decides, then the default. */
  cpUrl: string | undefined
  insecurePlaintext: boolean
  sessionCookie: string | undefined
  token: string | undefined
  /** Whom every request is made for. */
  as: string | undefined
  org: string
  workspace: string
  environment: string
  /** True when --environment was typed or set, so that a list is narrowed to it. */
  environmentGiven: boolean
  project: string | undefined
}

/** What commander knows of the global flags; all but those with a default may be missing. */
export type GlobalFlags = {
  stateDir?: string
  jsonLogs?: boolean
  logLevel?: string
  logFile?: string
  quiet?: boolean
  output?: OutputFormat
  json?: boolean
  input: boolean
  color: boolean
  debug?: boolean
  cpUrl?: string
  insecurePlaintext?: boolean
  sessionCookie?: string
  token?: string
  as?: string
  org: string
  workspace: string
  environment: string
  project?: string
}

export function settingsOf(flags: GlobalFlags, env: Env, environmentGiven: boolean): Settings {
  return {
    stateDir: resolve(env.cwd, flags.stateDir ?? `${env.env['HOME'] ?? homedir()}/.mcpg`),
    output: flags.output ?? (flags.json ? 'json' : 'table'),
    quiet: flags.quiet ?? false,
    input: flags.input && env.isTTY.stdin && env.isTTY.stderr,
    color: flags.color && !env.env['NO_COLOR'] && env.isTTY.stdout,
    debug: flags.debug ?? false,
    cpUrl: flags.cpUrl,
    insecurePlaintext: flags.insecurePlaintext ?? false,
    sessionCookie: flags.sessionCookie,
    token: flags.token,
    as: flags.as,
    org: flags.org,
    workspace: flags.workspace,
    environment: flags.environment,
    environmentGiven,
    project: flags.project,
  }
}
