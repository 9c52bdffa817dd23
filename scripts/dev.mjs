// npm run dev [-- <mcpg-ctl arguments>]: rebuilds bundle and console when sources change and restarts the programs (quickstart by default).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { ensureBuilt, nodeBinary, pathWith, productPath, root } from './workspace.mjs'

ensureBuilt()
const node = nodeBinary()
const args = process.argv.length > 2 ? process.argv.slice(2) : ['quickstart', '--no-browser']
const toolPath = pathWith(dirname(node))
const children = []
// Ctrl-C reaches the whole group; the programs stop in their own order.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => children.forEach((child) => child.kill()))

const bundler = start(['scripts/build.mjs', '--watch'], toolPath, ['inherit', 'inherit', 'inherit', 'ipc'])
start(['ui/node_modules/vite/bin/vite.js', 'build', 'ui', '--watch', '--logLevel', 'warn'], toolPath)
// Its first build writes the bundle once more; a program started before that would be started twice.
const [isBuilt] = await Promise.race([once(bundler, 'message'), once(bundler, 'exit').then(() => [null])])
if (isBuilt)
  start(
    [`--watch-path=${join(root, 'ctl/dist')}`, '--watch-preserve-output', join(root, 'ctl/dist/mcpg-ctl.js'), ...args],
    productPath(dirname(node), process.env.PATH ?? ''),
  )
else children.forEach((child) => child.kill())

function start(command, path, stdio = 'inherit') {
  const child = spawn(node, command, { cwd: root, stdio, env: { ...process.env, PATH: path } })
  children.push(child)
  return child
}
