import { runBench } from '../bench/bench.ts'
import { command, goalsOf, type Row } from './row.ts'

export const row: Row = {
  asked: '`npm run bench` repeated with secrets, audit and metrics on: the figures of the first issue hold',
  command: command(18),
  async run({ isQuick, say }) {
    const { goals } = await runBench({ chosen: ['calls', 'propagation', 'starts', 'loop'], isQuick, equipped: true }, say)
    return goalsOf(goals)
  },
}
