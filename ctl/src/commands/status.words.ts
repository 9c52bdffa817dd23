import type { Words } from '../context.ts'
import { databaseUrl, databaseUrlFile } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('status')
    .description('what runs on this machine, and the database')
    .addOption(databaseUrl())
    .addOption(databaseUrlFile())
    .action(run(() => import('./status.ts')))
}
