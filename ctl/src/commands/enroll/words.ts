import type { Words } from '../../context.ts'
import { selector, several, whole } from '../../options.ts'

export const words: Words = (program, run) => {
  const enroll = program.command('enroll').description('one-time URLs that turn a machine into a gateway')
  enroll
    .command('create')
    .description('create an enrollment; its URL is shown once')
    .option('--name <name>', 'name of the gateway')
    .addOption(several('--label <key=value>', 'label of the gateway'))
    .option('--ttl <duration>', 'how long the URL is good', '15m')
    .option('--max-uses <n>', 'gateways that may use it', whole, 1)
    .option('--expected-instance-uid <uid>', 'only this installation may use it')
    .addOption(several('--cidr <range>', 'only from these addresses'))
    .action(run(() => import('./create.ts')))
  enroll
    .command('list')
    .description('list enrollments')
    .addOption(selector())
    .action(run(() => import('./list.ts')))
  enroll
    .command('revoke')
    .argument('<name>')
    .description('void an enrollment that is not used')
    .option('--yes', 'do not ask')
    .action(run(() => import('./revoke.ts')))
}
