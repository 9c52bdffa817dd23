import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('explain')
    .argument('[field]', 'kind or kind.field.field (default: the kinds there are)')
    .description('show the fields of a kind')
    .option('-r, --recursive', 'and those inside them')
    .action(run(() => import('./explain.ts')))
}
