import { Option } from 'commander'
import type { Words } from '../context.ts'
import { expand, files, timeout } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('apply')
    .description('write the objects of manifests, all or none')
    .addOption(files())
    .addOption(
      new Option('--dry-run [side]', 'write nothing: ask the control plane (server), or only check (client)')
        .choices(['server', 'client'])
        .preset('server'),
    )
    .option('--prune <selector>', 'delete objects of the same kinds that match and are not in the manifests')
    .option('--wait', 'wait until every gateway runs it')
    .addOption(timeout('5m'))
    .addOption(expand())
    .action(run(() => import('./apply.ts')))
}
