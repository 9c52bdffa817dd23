import type { Words } from '../../context.ts'
import { tokenFlags } from '../../tokens/flags.ts'

export const words: Words = (program, run) => {
  const token = program.command('token').description('bearers of programs: your own, and those of MCP clients')
  tokenFlags(
    token
      .command('create')
      .argument('<name>')
      .description('make a token of yours, of a service account, or with -p of an MCP client; it is shown once')
      .option('--service-account <name>', 'whose token it is (default: yours)'),
  ).action(run(() => import('./create.ts')))
  token
    .command('list')
    .description('list your tokens, and those you may look at')
    .action(run(() => import('./list.ts')))
  token
    .command('revoke')
    .argument('<name>', 'name or id')
    .description('stop a token for ever; its row stays')
    .option('--yes', 'do not ask')
    .action(run(() => import('./revoke.ts')))
  token
    .command('delete')
    .argument('<name>', 'name or id')
    .description('stop a token for ever and forget it')
    .option('--yes', 'do not ask')
    .action(run(() => import('./delete.ts')))
}
