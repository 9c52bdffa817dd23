import { Argument } from 'commander'
import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('endpoint-access')
    .addArgument(
      new Argument(
        '[auth]',
        'auto: a token is wanted beyond loopback; required: always; open: never, where the gateway allows it too',
      ).choices(['auto', 'required', 'open']),
    )
    .description('show or say how clients get into the endpoints of the environment')
    .option('--max-access-age <duration>', 'how long a gateway without its control plane goes by what it knew, or unlimited')
    .action(run(() => import('./endpoint-access.ts')))
}
