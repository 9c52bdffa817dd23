import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { closeAll } from '../harness/cleanup.ts'
import { runBench, sections } from './bench.ts'
import { sayOnStderr } from './say.ts'
import { markdownOf, type Report } from './table.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    equipped: { type: 'boolean', default: false },
    only: { type: 'string' },
    table: { type: 'boolean', default: false },
  },
})
const chosen = values.only?.split(',') ?? [...sections]
const unknown = chosen.filter((name) => !sections.some((section) => section === name))
if (values.table) process.stdout.write(`${markdownOf(JSON.parse(readFileSync(0, 'utf8')) as Report)}\n`)
else if (unknown.length > 0) {
  process.stderr.write(`error: there is no section ${unknown.join(', ')}\n  hint: --only ${sections.join(',')}\n`)
  process.exitCode = 2
} else {
  // Ctrl-C must not leave programs behind.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void closeAll().finally(() => process.exit(130)))
  try {
    const report = await runBench({ chosen, isQuick: values.quick, equipped: values.equipped }, sayOnStderr)
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
    process.exitCode = report.goals.every(({ ok }) => ok) ? 0 : 1
  } finally {
    await closeAll()
  }
}
