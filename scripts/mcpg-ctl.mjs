import { join } from 'node:path'
import { ensureBuilt, root, runNode } from './workspace.mjs'

ensureBuilt()
process.exitCode = await runNode([join(root, 'ctl/dist/mcpg-ctl.js'), ...process.argv.slice(2)])
