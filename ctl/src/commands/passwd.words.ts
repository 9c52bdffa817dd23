import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('passwd')
    .argument('[e-mail]', 'somebody else, who gets a password and is signed out everywhere')
    .description('change your password, and end every other session of yours')
    .option(
      '--password-stdin',
      'read two lines from standard input: the password of today and the new one; of somebody else only the new one',
    )
    .action(run(() => import('./passwd.ts')))
}
