import { Option, type Command } from 'commander'
import type { Words } from '../../context.ts'
import { whole } from '../../options.ts'

export const words: Words = (program, run) => {
  const audit = program.command('audit').description('who did what, and whether that record is whole')
  const platform = () => new Option('--platform', 'what belongs to no organization, such as sign-ins')
  const filtered = (command: Command) =>
    command
      .addOption(platform())
      .option('--actor <name>', 'who did it; a* for names that begin so')
      .option('--action <action>', 'what was done, e.g. server.create or server.*')
      .option('--target <target>', 'what it was done to: kind/name, kind/ or a name')
      .option('--request-id <id>', 'everything of one request')
      .option('--session <id>', 'everything of one session of a client')
      .addOption(new Option('--origin <origin>', 'what was done here, or what gateways saw').choices(['control-plane', 'gateways']))
      .option('--since <time>', 'nothing older, e.g. 12h or 2026-01-31T12:00:00Z')
      .option('--until <time>', 'nothing from then on')
  filtered(audit.command('list').description('list the newest entries'))
    .option('--limit <n>', 'at most so many', whole, 100)
    .action(run(() => import('./list.ts')))
  audit
    .command('sessions')
    .description('what clients did at gateways, by session, the latest first')
    .option('--actor <name>', 'whose; a* for names that begin so')
    .option('--since <time>', 'nothing older, e.g. 12h or 2026-01-31T12:00:00Z')
    .option('--until <time>', 'nothing from then on')
    .option('--limit <n>', 'at most so many', whole, 100)
    .action(run(() => import('./sessions.ts')))
  audit
    .command('verify')
    .description('check that no entry was altered or removed; exit 1 when one was')
    .addOption(platform())
    .action(run(() => import('./verify.ts')))
  filtered(audit.command('export').description('print entries as NDJSON, oldest first')).action(run(() => import('./export.ts')))
  audit
    .command('purge')
    .description('remove old entries; a signed tombstone keeps the rest verifiable')
    .requiredOption('--before <time>', 'remove what is older, e.g. 400d or 2026-01-31T12:00:00Z')
    .addOption(platform())
    .option('--yes', 'do not ask')
    .action(run(() => import('./purge.ts')))
}
