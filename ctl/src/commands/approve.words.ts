import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('approve')
    .argument('<kind>', 'promptrequest, or promptrequest/name')
    .argument('[names...]')
    .description('take what was proposed: a prompt request becomes the prompt of its name')
    .action(run(() => import('./approve.ts')))
}
