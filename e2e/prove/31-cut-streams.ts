import { cutEverywhere } from '../scenarios/cut-everywhere.ts'
import { command, count, type Row } from './row.ts'

export const row: Row = {
  asked:
    'The SSE stream of an operation cut at every event: every event seen once, in order, 204 after the end; CLI exits 0 / 7 / 130 as published and prints the resume command',
  command: command(31),
  async run(counts) {
    const { events, cuts, exits, wrong } = await cutEverywhere({ rounds: count(counts, 10, 1) })
    return {
      measured: `${cuts} cuts, ${events} events seen; exits ${exits.join(' / ')}; ${wrong.length} wrong${wrong.length > 0 ? `: ${wrong.join('; ')}` : ''}`,
      ok: wrong.length === 0,
    }
  },
}
