// Sums what the runs left in .cache/results and prints the one plain line.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './workspace.mjs'

/** Adds up the named runs (all of them by default) and names what failed. A run that left no result did not finish and counts as one failure. */
export function tally(runs) {
  const folder = join(root, '.cache/results')
  const names = runs ?? (existsSync(folder) ? readdirSync(folder).map((file) => file.replace(/\.json$/, '')) : [])
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const name of names) {
    const file = join(folder, `${name}.json`)
    const counts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { failed: 1, failures: ['did not finish'] }
    for (const key of Object.keys(sum)) sum[key] += counts[key] ?? 0
    for (const failure of counts.failures ?? []) console.log(`FAILED ${name}: ${failure}`)
  }
  console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped ? `, ${sum.skipped} skipped` : ''}`)
  return sum
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) tally(process.argv.length > 2 ? process.argv.slice(2) : undefined)
