import type { Words } from '../context.ts'
import { expand, files, selector } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('delete')
    .argument('[kind]', 'kind or kind/name')
    .argument('[names...]', 'names or globs')
    .description('delete objects')
    .addOption(files())
    .addOption(selector())
    .option('--yes', 'do not ask')
    .option('--cascade', 'delete what lives in them, too')
    .option('--ignore-not-found', 'what is not there is no failure')
    .option('--dry-run', 'write nothing, and say what would be deleted or refused')
    .addOption(expand())
    .action(run(() => import('./delete.ts')))
}
