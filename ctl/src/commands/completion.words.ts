import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('completion')
    .argument('<shell>', 'bash, zsh, fish or powershell')
    .description('print a completion script')
    .action(run(() => import('./completion.ts')))
}
