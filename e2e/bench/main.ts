import { parseArgs } from 'node:util'
import { closeAll } from '../harness/cleanup.ts'
import { runBench, sections } from './bench.ts'
import { sayOnStderr } from './say.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } } })
const chosen = values.only?.split(',') ?? [...sections]
const unknown = chosen.filter((name) => !sections.some((section) => section === name))
if (unknown.length > 0) {
  process.stderr.write(`error: there is no section ${unknown.join(', ')}\n  hint: --only ${sections.join(',')}\n`)
  process.exitCode = 2
} else {
  // Ctrl-C must not leave programs behind.
  process.once('SIGINT', () => void closeAll().finally(() => process.exit(130)))
  try {
    const report = await runBench({ chosen, isQuick: values.quick }, sayOnStderr)
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
    process.exitCode = report.goals.every(({ ok }) => ok) ? 0 : 1
  } finally {
    await closeAll()
  }
}
