import { percentile } from '../bench/percentile.ts'
import { closeLater } from '../harness/cleanup.ts'
import { startPostgres } from '../postgres.ts'
import { allocate } from '../scenarios/allocation.ts'
import { command, count, together, type Counts, type Outcome, type Row } from './row.ts'

const mostMs = 250

export const row: Row = {
  asked:
    '100 parallel creates on capacity for 60 over 5 clusters, 20 rounds, SQLite and PostgreSQL: never one too many, every loser told why; the reserve step p99 ≤ 250 ms, also with the wait for the others',
  command: command(29),
  async run(counts) {
    const postgres = await startPostgres({ isDurable: true })
    closeLater(() => postgres.close())
    return together(await on('SQLite', null, counts), await on('PostgreSQL (fsync on)', postgres.url, counts))
  },
}

async function on(engine: string, postgres: string | null, counts: Counts): Promise<Outcome> {
  counts.say(`allocation: ${engine}`)
  const { rounds, wrong, alone, together: all } = await allocate({ postgres, rounds: count(counts, 20, 2) })
  const p99 = (samples: number[]) => percentile(samples, 0.99)
  const figures = (samples: number[]) =>
    `p99 ${p99(samples).toFixed(0)} ms, max ${percentile(samples, 1).toFixed(0)} ms of ${samples.length}`
  return {
    measured: `${engine}: ${rounds} rounds, ${wrong.length} wrong${wrong.length > 0 ? `: ${wrong.join('; ')}` : ''}, reserve step alone ${figures(alone)}, with the wait of a hundred ${figures(all)}`,
    ok: wrong.length === 0 && (counts.isQuick || (p99(alone) <= mostMs && p99(all) <= mostMs)),
  }
}
