import { closeLater } from '../harness/cleanup.ts'
import { newPostgresDatabase } from '../harness/database.ts'
import { startPostgres } from '../postgres.ts'
import { probeAccess } from '../scenarios/access-probe.ts'
import { probeMcp } from '../scenarios/mcp-probe.ts'
import { command, count, together, type Counts, type Outcome, type Row } from './row.ts'

export const row: Row = {
  asked:
    'A cross-tenant and cross-role probe of the whole REST surface, generated from the OpenAPI document: nothing leaks, on both databases. Unauthenticated walk of every route: only the public list answers. The same for MCP: every method, at an endpoint and through the control plane',
  command: command(20),
  async run(counts) {
    counts.say('access: SQLite')
    const sqlite = await probed('SQLite', counts)
    counts.say('access: PostgreSQL')
    const postgres = await startPostgres()
    closeLater(() => postgres.close())
    const second = await probed('PostgreSQL', counts, { MCPG_DATABASE_URL: await newPostgresDatabase(postgres.url) })
    counts.say('access: MCP')
    return together(sqlite, second, await probedMcp(counts))
  },
}

async function probed(engine: string, counts: Counts, env?: Record<string, string>): Promise<Outcome> {
  const { operations, callers, cells, requests, wrong } = await probeAccess({ every: count(counts, 1, 11), ...(env && { env }) })
  return outcomeOf(`${engine}: ${operations} operations × ${callers} callers, ${cells} cells asked, ${requests} requests`, wrong, requests)
}

async function probedMcp(counts: Counts): Promise<Outcome> {
  const { callers, cells, wrong } = await probeMcp({ every: count(counts, 1, 11) })
  return outcomeOf(`MCP: ${callers} callers, ${cells} cells asked`, wrong, cells)
}

function outcomeOf(measured: string, wrong: string[], asked: number): Outcome {
  const faults = wrong.length === 0 ? '0 wrong' : `${wrong.length} wrong: ${wrong.slice(0, 5).join('; ')}`
  return { measured: `${measured}, ${faults}`, ok: wrong.length === 0 && asked > 0 }
}
