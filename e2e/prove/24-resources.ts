import { runBench } from '../bench/bench.ts'
import { command, goalsOf, type Row } from './row.ts'

export const row: Row = {
  asked:
    '10,000 resources in one workspace: `get` of a page ≤ 50 ms, `apply` of 1,000 objects ≤ 5 s on SQLite, watch delivers a change ≤ 100 ms, memory flat over 100k updates',
  command: command(24),
  async run({ isQuick, say }) {
    const { goals } = await runBench({ chosen: ['resources'], isQuick }, say)
    return goalsOf(goals)
  },
}
