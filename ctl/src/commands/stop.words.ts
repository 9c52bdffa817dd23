import type { Words } from '../context.ts'
import { timeout } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('stop')
    .description('stop the control plane of this state dir and the gateway of quickstart')
    .option('--all', 'every gateway of this state dir, too')
    .addOption(timeout('30s'))
    .action(run(() => import('./stop.ts')))
}
