import { parseArgs } from 'node:util'
import { closeAll } from '../harness/cleanup.ts'
import { machine } from '../bench/machine.ts'
import type { Counts, Outcome, Row } from './row.ts'

const rows: Record<string, () => Promise<{ row: Row }>> = {
  1: () => import('./01-starts.ts'),
  2: () => import('./02-races.ts'),
  3: () => import('./03-outage.ts'),
  4: () => import('./04-poison.ts'),
  5: () => import('./05-tampering.ts'),
  6: () => import('./06-cycles.ts'),
  7: () => import('./07-truth.ts'),
  8: () => import('./08-conformance.ts'),
  9: () => import('./09-bench.ts'),
  10: () => import('./10-canary.ts'),
  11: () => import('./11-databases.ts'),
  12: () => import('./12-machines.ts'),
  13: () => import('./13-conformance.ts'),
  14: () => import('./14-crossed.ts'),
  15: () => import('./15-secrets.ts'),
  16: () => import('./16-logs.ts'),
  17: () => import('./17-remote-calls.ts'),
  18: () => import('./18-equipped.ts'),
  19: () => import('./19-kinds.ts'),
  20: () => import('./20-access.ts'),
  21: () => import('./21-sign-in.ts'),
  22: () => import('./22-revocations.ts'),
  23: () => import('./23-rest-contract.ts'),
  24: () => import('./24-resources.ts'),
  25: () => import('./25-audit.ts'),
  26: () => import('./26-bad-input.ts'),
  27: () => import('./27-managed.ts'),
  28: () => import('./28-kubernetes.ts'),
  29: () => import('./29-allocation.ts'),
  30: () => import('./30-crashes.ts'),
  31: () => import('./31-cut-streams.ts'),
  32: () => import('./32-decommission.ts'),
  33: () => import('./33-managed-input.ts'),
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean', default: false } } })
const chosen = positionals.length > 0 ? positionals : Object.keys(rows)
const unknown = chosen.filter((name) => !Object.hasOwn(rows, name))
if (unknown.length > 0) {
  process.stderr.write(
    `error: there is no row ${unknown.join(', ')}\n  hint: npm run prove -- ${Object.keys(rows).join(' ')}, or none for all\n`,
  )
  process.exitCode = 2
} else {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void closeAll().finally(() => process.exit(130)))
  await proveAll()
}

async function proveAll(): Promise<void> {
  const say = (line: string) => void process.stderr.write(`${line}\n`)
  const counts: Counts = { isQuick: values.quick, say }
  const { cpu, cores, memoryGib, system, node, loadAverage } = machine()
  const facts = `${cores} × ${cpu}, ${memoryGib} GiB, ${system}, Node ${node}, load ${loadAverage.join(' ')}${values.quick ? ', quick counts' : ''}`
  process.stdout.write(`${new Date().toISOString()}, ${facts}\n\n| | asked | measured | command |\n|---|---|---|---|\n`)
  let failed = 0
  for (const number of chosen) {
    say(`row ${number}`)
    const { row } = await rows[number]!()
    const outcome = await attempt(row, counts)
    if (!outcome.ok) failed++
    process.stdout.write(
      `| ${outcome.ok ? number : `**${number} ✗**`} | ${cell(row.asked)} | ${cell(outcome.measured)} | \`${row.command}\` |\n`,
    )
  }
  process.exitCode = failed === 0 ? 0 : 1
}

/** A row that throws is a row that failed; the others still run. */
async function attempt(row: Row, counts: Counts): Promise<Outcome> {
  try {
    return await row.run(counts)
  } catch (error) {
    counts.say(
      error instanceof Error ? `${error.stack}${error.cause instanceof Error ? `\n  cause: ${error.cause.stack}` : ''}` : String(error),
    )
    return { measured: `failed: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`, ok: false }
  } finally {
    await closeAll().catch((error: unknown) => counts.say(`closing: ${String(error)}`))
  }
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
