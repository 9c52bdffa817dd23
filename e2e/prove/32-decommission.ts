import { decommissionMatrix } from '../scenarios/managed-decommission.ts'
import { onBoth } from './engines.ts'
import { command, count, type Counts, type Outcome, type Row } from './row.ts'

export const row: Row = {
  asked:
    'A cluster given up empty, with gateways, with held reservations, forced, forced while unreachable, repeated, and at the same time as a create, a change, a delete and a drain, SQLite and PostgreSQL: no credential or token that lives, no reservation, no process, a row that says so, and the trail says who and why',
  command: command(32),
  run: (counts) => onBoth(counts, (engine, postgres) => on(engine, postgres, counts)),
}

async function on(engine: string, postgres: string | null, counts: Counts): Promise<Outcome> {
  counts.say(`decommission: ${engine}`)
  const { cases, rounds, outcomes, wrong } = await decommissionMatrix({ postgres, rounds: count(counts, 20, 2), say: counts.say })
  const told = Object.entries(outcomes).map(([what, times]) => `${what} ${times} ×`)
  return {
    measured: `${engine}: ${cases} cases and ${rounds} rounds of races (${told.toSorted().join(', ')}), ${wrong.length} wrong${wrong.length > 0 ? `: ${wrong.join('; ')}` : ''}`,
    ok: wrong.length === 0,
  }
}
