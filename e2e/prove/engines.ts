import { closeLater } from '../harness/cleanup.ts'
import { startPostgres } from '../postgres.ts'
import { together, type Counts, type Outcome } from './row.ts'

/** The same on SQLite and on a PostgreSQL of its own; the quick counts leave the second out. `postgres` is a url, null for SQLite. */
export async function onBoth(counts: Counts, on: (engine: string, postgres: string | null) => Promise<Outcome>): Promise<Outcome> {
  if (counts.isQuick) return await on('SQLite', null)
  const postgres = await startPostgres()
  closeLater(() => postgres.close())
  return together(await on('SQLite', null), await on('PostgreSQL', postgres.url))
}
