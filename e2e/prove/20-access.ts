import { closeLater } from '../harness/cleanup.ts'
import { newPostgresDatabase } from '../harness/database.ts'
import { startPostgres } from '../postgres.ts'
import { probeAccess } from '../scenarios/access-probe.ts'
import { command, count, together, type Counts, type Outcome, type Row } from './row.ts'

export const row: Row = {
  asked:
    'A cross-tenant and cross-role probe of the whole REST surface, generated from the OpenAPI document: nothing leaks, on both databases. Unauthenticated walk of every route: only the public list answers',
  command: command(20),
  async run(counts) {
    counts.say('access: SQLite')
    const sqlite = await probed('SQLite', counts)
    counts.say('access: PostgreSQL')
    const postgres = await startPostgres()
    closeLater(() => postgres.close())
    return together(sqlite, await probed('PostgreSQL', counts, { MCPG_DATABASE_URL: await newPostgresDatabase(postgres.url) }))
  },
}

async function probed(engine: string, counts: Counts, env?: Record<string, string>): Promise<Outcome> {
  const { operations, callers, cells, requests, wrong } = await probeAccess({ every: count(counts, 1, 11), ...(env && { env }) })
  const faults = wrong.length === 0 ? '0 wrong' : `${wrong.length} wrong: ${wrong.slice(0, 5).join('; ')}`
  return {
    measured: `${engine}: ${operations} operations × ${callers} callers, ${cells} cells asked, ${requests} requests, ${faults}`,
    ok: wrong.length === 0 && requests > 0,
  }
}
