import type { Words } from '../../context.ts'

export const words: Words = (program, run) => {
  const domain = program.command('domain').description('names of DNS that managed gateways of the organization may have')
  const one = (verb: string, what: string) => domain.command(verb).argument('<host>', 'such as tools.example.com').description(what)
  one('add', 'claim a domain, and show the TXT record that proves it is yours').action(run(() => import('./add.ts')))
  domain
    .command('list')
    .description('list the domains of the organization')
    .action(run(() => import('./list.ts')))
  one('verify', 'look for the TXT record of a domain').action(run(() => import('./verify.ts')))
  one('remove', 'give a domain up; refused while a gateway has a name of it')
    .option('--yes', 'do not ask')
    .action(run(() => import('./remove.ts')))
}
