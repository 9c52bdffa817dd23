import { askCrosswise, type Kind } from '../scenarios/crossed.ts'
import { fixture, productTimers, serverUrl, startFleet } from '../scenarios/fleet.ts'
import { command, count, together, type Row } from './row.ts'

const kinds: Kind[] = ['v1', 'legacy', 'auto', 'modern', 'modern']

export const row: Row = {
  asked:
    'clients of SDK v1 and v2, legacy, auto and pinned to 2026-07-28, are sampled and elicited at once through one server, 500 rounds each, with random delays and with questions that come after their call: never a crossed answer',
  command: command(14),
  async run(counts) {
    const rounds = count(counts, 500, 20)
    const { gateway } = await startFleet([fixture('asks', 'asks')], productTimers)
    const tallies = await askCrosswise({ url: serverUrl(gateway, 'asks'), kinds, rounds })
    return together(
      ...tallies.map(({ name, answered, askedOfMe, askedOfAnother, wrongAnswer }) => ({
        measured: `${name}: ${answered}/${rounds} answered, ${askedOfMe} questions of its own, ${askedOfAnother} of another, ${wrongAnswer} wrong answers`,
        ok: answered === rounds && askedOfAnother === 0 && wrongAnswer === 0,
      })),
    )
  },
}
