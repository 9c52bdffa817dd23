import { runBench } from '../bench/bench.ts'
import { command, goalsOf, type Row } from './row.ts'

export const row: Row = {
  asked:
    '`npm run bench`: p50 added ≤ 0.3 ms at one client, ≤ 100 µs gateway CPU per call at eight; a config change to 100 simulated agents, from commit to STAGED, p99 ≤ 500 ms',
  command: command(9),
  async run({ isQuick, say }) {
    const { goals } = await runBench({ chosen: ['calls', 'propagation'], isQuick }, say)
    return goalsOf(goals)
  },
}
