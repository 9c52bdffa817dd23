import type { Words } from '../context.ts'
import { databaseUrl, databaseUrlFile } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('doctor')
    .description('look for what keeps things from working')
    .option('--bind-http <address>', 'address to look at', '127.0.0.1:7843')
    .option('--bind-grpc <address>', 'address to look at', '127.0.0.1:7844')
    .option('--bind <address>', 'address to look at', '127.0.0.1:7845')
    .addOption(databaseUrl())
    .addOption(databaseUrlFile())
    .action(run(() => import('./doctor.ts')))
}
