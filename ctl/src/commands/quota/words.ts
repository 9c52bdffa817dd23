import { Option } from 'commander'
import type { Words } from '../../context.ts'

export const words: Words = (program, run) => {
  const quota = program.command('quota').description('how much managed gateways may take')
  quota
    .command('list')
    .description('show the quotas of the organization and its environments, with what is taken')
    .action(run(() => import('./list.ts')))
  quota
    .command('set')
    .description('limit the environment that is named by --env (with --workspace), or without it the organization; what is not given stays')
    .addOption(new Option('--env <name>', 'environment (also --environment)'))
    .option('--gateways <n>', 'most gateways, replicas counted, or unlimited')
    .option('--cpu-millicores <n>', 'most CPU of all of them together, or unlimited')
    .option('--memory-bytes <n>', 'likewise')
    .action(run(() => import('./set.ts')))
}
