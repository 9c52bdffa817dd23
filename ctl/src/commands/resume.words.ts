import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('resume')
    .argument('<gateway>', 'gateway/<name>')
    .description('let changes reach a gateway again that was rolled back')
    .action(run(() => import('./resume.ts')))
}
