// npm run dev [-- <mcpg-ctl arguments>]: rebuilds bundle and console when sources change and restarts the programs (quickstart by default).
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { ensureBuilt, nodeBinary, pathWith, root } from './workspace.mjs'

ensureBuilt()
const node = nodeBinary()
const args = process.argv.length > 2 ? process.argv.slice(2) : ['quickstart', '--no-browser']
const start = (...command) => spawn(node, command, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: pathWith(dirname(node)) } })
const children = [
  start('scripts/build.mjs', '--watch'),
  start('ui/node_modules/vite/bin/vite.js', 'build', 'ui', '--watch', '--logLevel', 'warn'),
  start(`--watch-path=${join(root, 'ctl/dist')}`, '--watch-preserve-output', join(root, 'ctl/dist/mcpg-ctl.js'), ...args),
]
// Ctrl-C reaches the whole group; the programs stop in their own order.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => children.forEach((child) => child.kill()))
