import type { CallsReport, Goal } from './calls.ts'
import type { Spread } from './percentile.ts'

export type Report = {
  at: string
  quick: boolean
  machine: { cpu: string; cores: number; memoryGib: number; system: string; node: string; mcpg: string; loadAverage: number[] }
  goals: Goal[]
  calls?: CallsReport
}

const range = (value: Spread | undefined) => (value ? `${value.median} (${value.min}–${value.max})` : '')

/** The report of the bench as the Markdown of docs/performance.md. */
export function markdownOf({ at, quick, machine, goals, calls }: Report): string {
  const lines = [
    `${at.slice(0, 10)}, mcpg ${machine.mcpg}, ${machine.cores} × ${machine.cpu}, ${machine.memoryGib} GiB, ${machine.system}, Node ${machine.node}, ` +
      `load ${machine.loadAverage.join(' ')} at the start${quick ? ', **quick counts**' : ''}. Median (smallest–largest round).`,
    '',
    '| goal | limit | measured |',
    '|---|---|---|',
    ...goals.map(
      ({ goal, limit, unit, measured, ok }) => `| ${goal} | ≤ ${limit} ${unit} | ${ok ? measured : `**${measured}**`} ${unit} |`,
    ),
  ]
  if (calls)
    lines.push(
      '',
      '| path | clients | p50 ms | p99 ms | calls/s | gateway CPU µs/call | added p50 ms | load CPU µs/call |',
      '|---|---|---|---|---|---|---|---|',
      ...calls.results.map(
        (one) =>
          `| ${one.path} | ${one.clients} | ${range(one.p50Ms)} | ${range(one.p99Ms)} | ${range(one.rps)} | ${range(one.gatewayCpuMicros)} | ${range(one.addedP50Ms)} | ${range(one.loadCpuMicros)} |`,
      ),
    )
  return lines.join('\n')
}
