import type { Words } from '../../context.ts'
import { several } from '../../options.ts'

export const words: Words = (program, run) => {
  const server = program.command('server').description('start, stop, restart and upgrade MCP servers')
  server
    .command('start')
    .argument('<names...>')
    .description('set state to running')
    .action(run(() => import('./start.ts')))
  server
    .command('stop')
    .argument('<names...>')
    .description('set state to stopped')
    .action(run(() => import('./stop.ts')))
  server
    .command('restart')
    .argument('<names...>')
    .description('start new instances and drain the old ones')
    .option('--retry', 'lift a hold')
    .option('--upgrade', 'resolve the version of the package again')
    .action(run(() => import('./restart.ts')))
  server
    .command('upgrade')
    .argument('<name>')
    .description('bring a server that was made from a template to another version of it; what was changed here since stays')
    .option('--to <version>', 'version of the template (default: the newest)')
    .addOption(several('--param <name=value>', 'parameter of the template, where it is to be another than before'))
    .option('--dry-run', 'only show what would change, and where both changed something (exit 1)')
    .action(run(() => import('./upgrade.ts')))
}
