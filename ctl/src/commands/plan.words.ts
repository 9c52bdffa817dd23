import type { Words } from '../context.ts'
import { expand, files } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('plan')
    .description('show what apply would change, field by field')
    .addOption(files())
    .option('--prune <selector>', 'as of apply')
    .option('--exit-code', 'exit 1 when something would change')
    .addOption(expand())
    .action(run(() => import('./plan.ts')))
}
