import { Option, type Command } from 'commander'

export const outputs = ['table', 'wide', 'json', 'yaml', 'name', 'ndjson'] as const
export type OutputFormat = (typeof outputs)[number]

/** Flags of every command, accepted before and after it. */
export function addGlobalFlags(program: Command): void {
  program
    .option('--state-dir <folder>', 'where this machine keeps its files (default ~/.mcpg)')
    .option('--json-logs', 'log lines as JSON')
    .addOption(new Option('--log-level <level>', 'how much is logged').choices(['trace', 'debug', 'info', 'warn', 'error', 'silent']))
    .option('--log-file <file>', 'log to this file instead of standard error')
    .option('-q, --quiet', 'say only results and errors')
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(outputs))
    .option('--json', 'the same as -o json')
    .option('--no-input', 'never ask')
    .option('--no-color', 'no colors (also NO_COLOR)')
    .option('--debug', 'show stack traces of errors')
    .option(
      '--cp-url <url>',
      'control plane, with #pin=sha256:… behind https (default: the one that runs on this state dir, else http://127.0.0.1:7843)',
    )
    .option('--insecure-plaintext', 'allow plain http to a control plane that is not on this machine')
    .option('--session-cookie <value>', 'session of a signed-in person; better MCPG_SESSION_COOKIE')
    .option('--token <token>', 'bearer token; better MCPG_TOKEN')
    .option('--as <e-mail>', 'act for this user: what both of you may do, under both names')
    .option('--org <name>', 'organization', 'default')
    .option('--workspace <name>', 'workspace', 'default')
    .option('--environment <name>', 'environment', 'default')
    .option('-p, --project <name>', 'project')
}

/** Flags whose value must not stand in argv of anything we start; a value typed there is warned about once. */
export const secretFlags: ReadonlySet<string> = new Set([
  'enrollmentUrl',
  'token',
  'sessionCookie',
  'databaseUrl',
  'data',
  'setupCode',
  'password',
])
