import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .option('--patience <ms>', 'how long the control plane may take to answer', '150')
    .allowUnknownOption()
    .action(run(() => import('./complete.ts')))
}
