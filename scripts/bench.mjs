// npm run -s bench [-- --quick] [-- --only calls,propagation,starts,loop,remote] [-- --equipped]: one JSON document on stdout, progress on stderr.
import { join } from 'node:path'
import { ensureBuilt, root, runNode } from './workspace.mjs'

ensureBuilt()
process.exitCode = await runNode([join(root, 'e2e/bench/main.ts'), ...process.argv.slice(2)])
