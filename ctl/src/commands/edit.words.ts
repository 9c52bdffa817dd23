import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('edit')
    .argument('<kind>', 'kind or kind/name')
    .argument('[name]')
    .description('edit an object in $EDITOR')
    .action(run(() => import('./edit.ts')))
}
