import { Option, type Command } from 'commander'
import { several } from '../options.ts'

/** Of whatever makes a token. */
export function tokenFlags(command: Command): Command {
  return command
    .option('--ttl <time>', 'how long it lasts: a duration such as 30d, never, or a time such as 2027-01-31T12:00:00Z', '30d')
    .addOption(several('--bind <right>', 'what it may do: role:<verb>,resource:<kind>[,name:<name>] or operation:<name>'))
    .addOption(
      new Option(
        '--rbac <what>',
        'of an MCP client, beside --bind: empty (use the servers of its project) or clone (all that you may do there)',
      ).choices(['empty', 'clone']),
    )
    .option('--force', 'of an MCP client: replace the token of this name, which stops at once')
}
