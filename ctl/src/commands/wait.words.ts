import type { Words } from '../context.ts'
import { timeout } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('wait')
    .argument('<objects...>', 'kind/name, or a kind and names; globs stand for what is there now')
    .description('wait for a state')
    .option(
      '--for <what>',
      [
        'condition=Ready, condition=Ready=False, delete or state=<state>: of a server starting, ready (also: running), degraded, failed, stopped,',
        'pending or unknown; of a gateway online, late, offline, stopped, unknown, never_seen or revoked; of an instance pending, installing,',
        'starting, ready, unhealthy, crash_loop, stopping, stopped, failed or unknown; of an enrollment open, used, expired or revoked',
      ].join(' '),
    )
    .addOption(timeout('60s'))
    .action(run(() => import('./wait.ts')))
}
