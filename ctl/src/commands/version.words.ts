import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('version')
    .description('version of this program and of the control plane')
    .action(run(() => import('./version.ts')))
}
