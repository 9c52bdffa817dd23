import type { Words } from '../context.ts'
import { selector } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('describe')
    .argument('<kind>', 'kind, kind/name, or several of either')
    .argument('[names...]', 'names or globs')
    .description('show everything about objects')
    .addOption(selector())
    .action(run(() => import('./describe.ts')))
}
