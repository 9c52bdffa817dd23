import type { Words } from '../context.ts'
import { expand, files } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('diff')
    .argument('[gateway]', 'gateway/<name>: two of its configs instead of manifests')
    .description('compare manifests with what is stored, or two configs of a gateway; exit 1 when they differ')
    .addOption(files())
    .option('--from <generation>', 'config to compare with')
    .option('--to <generation>', 'config that is compared (default: the one the gateway should run)')
    .addOption(expand())
    .action(run(() => import('./diff.ts')))
}
