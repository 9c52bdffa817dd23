import type { Words } from '../../context.ts'

export const words: Words = (program, run) => {
  const secret = program.command('secret').description('values of secrets')
  secret
    .command('reveal')
    .argument('<name>')
    .description('show values of a secret; written to the audit trail')
    .option('--key <key>', 'only this key, as bare text')
    .option('--yes', 'do not ask')
    .action(run(() => import('./reveal.ts')))
}
