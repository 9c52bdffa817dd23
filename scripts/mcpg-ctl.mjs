import { ensureBuilt, runProduct } from './workspace.mjs'

const words = process.argv.slice(2)
// Overwrites what the process list shows of our own arguments.
process.title = 'mcpg-ctl'
ensureBuilt()
process.exitCode = await runProduct(words)
