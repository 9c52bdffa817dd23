// Documents rot where they name files: every path in backticks that looks like one of ours must exist.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './workspace.mjs'

const rooms = /^(proto|core|cp|gateway-agent|ctl|ui|deploy|e2e|scripts|docs|examples|\.ci)\//
const documents = globSync(['*.md', 'docs/**/*.md', 'ui/*.md', 'e2e/*.md'], { cwd: root })
const missing = []
for (const document of documents)
  for (const [, path] of readFileSync(join(root, document), 'utf8').matchAll(/`([^`\s]+)`/g)) {
    const clean = path.replace(/[:#]\d*$/, '')
    if (rooms.test(clean) && !/[*<{$]/.test(clean) && !existsSync(join(root, clean))) missing.push(`${document}: ${path}`)
  }
for (const line of missing) console.error(`${line} does not exist`)
process.exitCode = missing.length ? 1 : 0
