import { Option } from 'commander'
import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('login')
    .description('sign in at the control plane, or create its first user')
    .addOption(new Option('--issuer <url>', 'OpenID issuer to sign in at (default: what the control plane says)').env('MCPG_FED_ISSUER'))
    .option('--client-id <id>', 'the id under which the issuer knows this program (default: mcpg-ctl)')
    .option('--no-browser', 'print the address, and take the one where the browser ends, or the code in it')
    .option('--device', 'show a code that is typed in on another device')
    .option('--username <e-mail>', 'who signs in (default: asked for)')
    .option('--password-stdin', 'read the password from standard input')
    .option('--setup-code <code>', 'what creates the first user (default: read in the state dir, else asked for); better MCPG_SETUP_CODE')
    .action(run(() => import('./login.ts')))
}
