import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('whoami')
    .description('who you are for the control plane, how you are signed in and until when, and your groups')
    .action(run(() => import('./whoami.ts')))
}
