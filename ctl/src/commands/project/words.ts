import { clientNames } from '../../clients/clients.ts'
import type { Words } from '../../context.ts'

export const words: Words = (program, run) => {
  program
    .command('project')
    .description('what clients need to use a project')
    .command('connect')
    .argument('<client>', clientNames.join(', '))
    .description('show what stands in the file of a client, or put it there; the project is that of -p')
    .option('--write', 'put it into the file, and keep what was there beside it')
    .option('--file <path>', 'another file than the one that the client reads by default')
    .option('--name <name>', 'name of the entry (default: the project)')
    .option('--gateway <name>', 'the gateway to go to (default: that of the entry there is, else of this machine, else the first by name)')
    .option('--url <url>', 'an endpoint, without asking the control plane')
    .option('--token-env <variable>', 'variable of the environment that has the token')
    .action(run(() => import('./connect.ts')))
}
