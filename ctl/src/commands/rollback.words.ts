import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('rollback')
    .argument('<gateway>', 'gateway/<name>')
    .description('go back to an older config of a gateway and pin it there until it is resumed')
    .requiredOption('--to <generation>', 'config to go back to; describe gateway/<name> lists them')
    .action(run(() => import('./rollback.ts')))
}
