// npm test [-- <vitest arguments>]: installs, builds, runs every test and ends with the plain line. With arguments, only what they select.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuilt, root, runNode } from './workspace.mjs'

ensureBuilt()
/** The suites over a database run twice, once on each engine. */
const projects = ['unit', 'unit-postgres', 'ui', 'e2e', 'e2e-browser', 'e2e-postgres']
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const chosen = process.argv.slice(2)
if (chosen.length > 0) process.exitCode = await runNode([vitest, 'run', ...chosen], { cwd: root })
else {
  const results = join(root, '.cache/results')
  mkdirSync(results, { recursive: true })
  let failed = 0
  // Whole programs compete for the machine, so the stories over processes run after the others.
  for (const project of projects) {
    const file = join(results, `${project}.json`)
    rmSync(file, { force: true })
    const code = await runNode([vitest, 'run', '--project', project], { cwd: root, env: { MCPG_RESULTS: file } })
    if (code !== 0) failed = 1
  }
  const { tally } = await import('./tally.mjs')
  const sum = tally(projects)
  process.exitCode = failed || sum.failed ? 1 : 0
}
