// with-node.mjs <tool> [args]: a tool of the workspace (node_modules/.bin) on the pinned Node.
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { ensureInstalled, nodeBinary, pathWith, root } from './workspace.mjs'

ensureInstalled()
const [tool, ...args] = process.argv.slice(2)
const done = spawnSync(tool, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: pathWith(dirname(nodeBinary())) } })
process.exitCode = done.status ?? 1
