import { roundTripKinds } from '../scenarios/kinds.ts'
import { command, count, type Row } from './row.ts'

export const row: Row = {
  asked:
    'For every kind: flags, manifest and REST give the same object; `get -o yaml | apply` is `unchanged`; `explain` covers every field',
  command: command(19),
  async run(counts) {
    const { kinds, objects, fields, wrong } = await roundTripKinds({ perKind: count(counts, Infinity, 2) })
    return {
      measured: `${kinds} kinds, ${objects} objects by flags, manifest and REST, ${fields} fields explained, ${wrong.length} wrong${wrong.length ? `: ${wrong.join('; ')}` : ''}`,
      ok: wrong.length === 0 && objects > 0,
    }
  },
}
