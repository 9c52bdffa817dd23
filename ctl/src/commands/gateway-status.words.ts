import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('gateway-status')
    .description('credentials, control plane, last good config and policy of the agents of this machine')
    .option('--name <name>', 'only this agent')
    .action(run(() => import('./gateway-status.ts')))
}
