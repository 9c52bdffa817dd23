import type { Words } from '../context.ts'
import { selector } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('get')
    .argument('<kinds>', 'kinds separated by commas, all, kind/name, or quotas')
    .argument('[names...]', 'names or globs')
    .description('list objects')
    .addOption(selector())
    .option('-A, --all-workspaces', 'of every workspace')
    .option('-w, --watch', 'go on with changes')
    .option('--for <object>', 'of events: those that concern kind/name')
    .action(run(() => import('./get.ts')))
}
