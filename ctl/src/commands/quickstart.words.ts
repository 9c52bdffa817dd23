import type { Words } from '../context.ts'
import { detach } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('quickstart')
    .description('start a control plane, a gateway and a first MCP server on this machine')
    .option('--bind-http <address>', 'REST and console (default 127.0.0.1:7843)')
    .option('--bind-grpc <address>', 'gateways (default 127.0.0.1:7844)')
    .option('--no-browser', 'do not open the console')
    .option('--no-gateway', 'only the control plane')
    .option('--no-demo', 'no starter manifest')
    .addOption(detach())
    .action(run(() => import('./quickstart.ts')))
}
