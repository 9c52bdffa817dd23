import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('logout')
    .description('end the session at the control plane and forget it here')
    .option('--everywhere', 'every session of this user, on all machines')
    .action(run(() => import('./logout.ts')))
}
