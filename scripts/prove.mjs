// npm run -s prove [-- 6 10] [-- --quick]: the full counts behind the published figures, as a table `asked | measured | command`.
import { join } from 'node:path'
import { ensureBuilt, root, runNode } from './workspace.mjs'

ensureBuilt()
process.exitCode = await runNode([join(root, 'e2e/prove/main.ts'), ...process.argv.slice(2)])
