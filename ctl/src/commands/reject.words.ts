import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('reject')
    .argument('<kind>', 'promptrequest, or promptrequest/name')
    .argument('[names...]')
    .description('refuse what was proposed; the request stays, with the reason')
    .requiredOption('--reason <text>', 'what whoever asked for it should know')
    .action(run(() => import('./reject.ts')))
}
