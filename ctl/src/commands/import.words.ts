import { Option } from 'commander'
import { clientNames } from '../clients/clients.ts'
import type { Words } from '../context.ts'
import { several } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('import')
    .argument('<source>', `${clientNames.join(', ')}, a file, or - for standard input`)
    .argument('[names...]', 'only these servers, by name or glob')
    .description("make servers and secrets of a client's file, of a gridctl stack.yaml or of an mcpctl manifest")
    .addOption(
      new Option('--dry-run [side]', 'write nothing: show what would change (server), or print the manifest without values (client)')
        .choices(['server', 'client'])
        .preset('server'),
    )
    .option('--partial', 'leave out and list what cannot be imported')
    .option('--replace', 'replace what is there under the same name and not the same')
    .addOption(several('--secret <glob>', 'names of variables and headers whose values are secrets, too'))
    .addOption(several('--plain <glob>', 'names of variables, headers, arguments and parameters whose values are no secrets'))
    .action(run(() => import('./import.ts')))
}
