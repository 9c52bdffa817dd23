import type { Words } from '../context.ts'

export const words: Words = (program, run) => {
  program
    .command('mcp')
    .description('speak MCP on standard input and output, for clients that start a program; by --token, else by your sign-in')
    .option('--url <url>', 'endpoint (default: the gateway of this machine)')
    .option('--server <name>', 'only this server, names unprefixed')
    .option('--name <name>', 'gateway agent of this machine')
    .option('--via-control-plane', 'through the control plane, to a gateway that may be anywhere')
    .option('--gateway <name>', 'with --via-control-plane: this gateway (default: one that is online)')
    .option('--ca-file <file>', 'roots (PEM) that an https endpoint is held against (default: those of the gateway of this machine)')
    .action(run(() => import('./mcp.ts')))
}
