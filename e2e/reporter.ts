import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { skips } from './skips.ts'

/** Counts a run into the file named by MCPG_RESULTS and holds every skip against `e2e/skips.ts`. */
export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const file = process.env['MCPG_RESULTS']
    if (!file) return
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) counts.failed++
      for (const test of module.children.allTests()) count(test, counts)
    }
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify(counts))
  }
}

function count(test: TestCase, counts: { passed: number; failed: number; skipped: number }): void {
  const { state } = test.result()
  if (state === 'passed') counts.passed++
  else if (state === 'failed') counts.failed++
  else {
    const known = skips.find((skip) => test.fullName.startsWith(skip.test))
    console.log(`SKIPPED ${test.fullName}: ${known?.reason ?? 'no reason in e2e/skips.ts'}`)
    if (known && !process.env['CI']) counts.skipped++
    else counts.failed++
  }
}
