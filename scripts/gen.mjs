// Generates proto/src/gen from the .proto files. `--check`: fails when what is committed differs.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ensureInstalled, nodeBinary, pathWith, root } from './workspace.mjs'

ensureInstalled()
const env = { ...process.env, PATH: pathWith(dirname(nodeBinary())) }
if (process.argv.includes('--check')) {
  const folder = mkdtempSync(join(tmpdir(), 'mcpg-gen-'))
  try {
    cpSync(join(root, 'proto/mcpg'), join(folder, 'proto/mcpg'), { recursive: true })
    for (const file of ['buf.yaml', 'buf.gen.yaml']) cpSync(join(root, file), join(folder, file))
    execFileSync('buf', ['generate'], { cwd: folder, env, stdio: 'inherit' })
    execFileSync('diff', ['-r', join(folder, 'proto/src/gen'), join(root, 'proto/src/gen')], { stdio: 'inherit' })
  } catch {
    process.stderr.write('error: proto/src/gen differs from the .proto files\n  hint: npm run gen\n')
    process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true })
  }
} else execFileSync('buf', ['generate'], { cwd: root, env, stdio: 'inherit' })
