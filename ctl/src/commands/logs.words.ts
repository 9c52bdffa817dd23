import type { Words } from '../context.ts'
import { whole } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('logs')
    .argument('<target>', 'a server, instance/<id>, gateway/<name> or control-plane')
    .description('print the log of a server on all its gateways, of one instance, a gateway or the control plane')
    .option('-f, --follow', 'go on with what is written')
    .option('-t, --tail <lines>', 'last lines of each instance to begin with, or all', '100')
    .option('-i, --index <n>', 'one instance of the server, by its place in `get instances`, from 0', whole)
    .option('--since <time>', 'nothing older, e.g. 5m or 2026-01-31T12:00:00Z')
    .option('--previous', 'the life before: of a process that was started again, of an instance that was replaced')
    .action(run(() => import('./logs.ts')))
}
