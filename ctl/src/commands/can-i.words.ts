import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('can-i')
    .argument('[what]', 'view, create, edit, delete, run, expose, or an operation, e.g. reveal-secrets')
    .argument('[kind]', 'kind or kind/name, orgs, workspaces, environments, audit or *')
    .description('whether you may do something; exit 1 when not')
    .option('--list', 'everything you may do')
    .option('--who', 'everybody who may do it, and by which role')
    .action(run(() => import('./can-i.ts')))
}
