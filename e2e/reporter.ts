import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { skips } from './skips.ts'

/** Counts a run into the file named by MCPG_RESULTS, with what failed and why, and holds every skip against `e2e/skips.ts`. */
export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const file = process.env['MCPG_RESULTS']
    if (!file) return
    const counts: Counts = {
      passed: 0,
      failed: errors.length,
      skipped: 0,
      failures: errors.map((error) => `beside the tests: ${firstLine(error)}`),
    }
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) {
        counts.failed++
        counts.failures.push(`${module.relativeModuleId}: ${firstLine(module.errors()[0])}`)
      }
      for (const test of module.children.allTests()) count(test, counts)
    }
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify(counts))
  }
}

type Counts = { passed: number; failed: number; skipped: number; failures: string[] }

const firstLine = (error: unknown): string => String((error as Error | undefined)?.message ?? error).split('\n', 1)[0]!

function count(test: TestCase, counts: Counts): void {
  const { state, errors = [] } = test.result()
  if (state === 'passed') counts.passed++
  else if (state === 'failed') {
    counts.failed++
    counts.failures.push(`${test.module.relativeModuleId} > ${test.fullName}: ${firstLine(errors[0])}`)
  } else {
    const known = skips.find((skip) => test.fullName.startsWith(skip.test))
    console.log(`SKIPPED ${test.fullName}: ${known?.reason ?? 'no reason in e2e/skips.ts'}`)
    if (known && !process.env['CI']) counts.skipped++
    else counts.failed++
  }
}
