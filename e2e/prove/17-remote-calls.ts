import { runBench } from '../bench/bench.ts'
import { command, goalsOf, type Row } from './row.ts'

export const row: Row = {
  asked:
    'A tool call through the control plane: p50 added ≤ 2 ms against the direct one, a cancel reaches the server ≤ 200 ms, 100 parallel answers of 4 MiB leave heartbeat acknowledgements at p99 < 100 ms, and 50 calls each right after its server was applied find their gateway',
  command: command(17),
  async run({ isQuick, say }) {
    const { goals } = await runBench({ chosen: ['remote'], isQuick }, say)
    return goalsOf(goals)
  },
}
