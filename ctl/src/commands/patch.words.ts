import type { Words } from '../context.ts'
import { selector } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('patch')
    .argument('<kind>', 'kind or kind/name')
    .argument('[words...]', 'names or globs, then field=value')
    .description('change fields of objects: field=value, inner.field=value, labels.key=value; a value may be JSON, null removes')
    .addOption(selector())
    .option('--dry-run', 'write nothing, and say what would change or be refused')
    .action(run(() => import('./patch.ts')))
}
