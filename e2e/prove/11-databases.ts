import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { closeLater, temporaryFolder } from '../harness/cleanup.ts'
import { newPostgresDatabase } from '../harness/database.ts'
import { startPostgres } from '../postgres.ts'
import { productTimers } from '../scenarios/fleet.ts'
import { raceRedeemers } from '../scenarios/races.ts'
import { command, count, together, type Counts, type Outcome, type Row } from './row.ts'

const root = join(import.meta.dirname, '../..')

export const row: Row = {
  asked:
    'The contract suite and every end-to-end story on both databases; 20 redeemers × 200 rounds on PostgreSQL (with the redemption limit raised): exactly one winner each',
  command: command(11),
  async run(counts) {
    const postgres = await startPostgres()
    closeLater(() => postgres.close())
    const suites: Outcome[] = []
    for (const { what, args } of runs(counts)) {
      counts.say(`databases: ${what}`)
      suites.push(await suite(what, args, postgres.url))
    }
    counts.say('databases: the race')
    const rounds = count(counts, 200, 5)
    const env = { ...productTimers, MCPG_DATABASE_URL: await newPostgresDatabase(postgres.url) }
    const { wrong, reasons, gateways } = await raceRedeemers({ redeemers: 20, rounds, env })
    return together(...suites, {
      measured: `${rounds} rounds of 20 redeemers on PostgreSQL: ${wrong.length} without exactly one winner (${Object.entries(reasons)
        .map(([reason, times]) => `${times} × ${reason}`)
        .join(', ')})`,
      ok: wrong.length === 0 && gateways === rounds,
    })
  },
}

/** What of the test run is about a database. With quick counts one story stands for all. */
function runs({ isQuick }: Counts): { what: string; args: string[] }[] {
  const stories = isQuick ? ['e2e/stories/apply.test.ts'] : ['e2e/stories']
  return [
    { what: 'contract suite, both engines', args: ['--project', 'unit', 'cp/src/db'] },
    { what: 'suites of the control plane, PostgreSQL', args: ['--project', 'unit-postgres', ...(isQuick ? ['cp/src/resources'] : [])] },
    { what: 'stories, SQLite', args: ['--project', 'e2e', '--project', 'e2e-browser', ...stories] },
    { what: 'stories, PostgreSQL (but the one that breaks the file of SQLite)', args: ['--project', 'e2e-postgres', ...stories] },
  ]
}

async function suite(what: string, args: string[], server: string): Promise<Outcome> {
  const results = join(temporaryFolder(), 'results.json')
  rmSync(results, { force: true })
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
    cwd: root,
    env: { ...process.env, MCPG_RESULTS: results, MCPG_TEST_PG_URL: server, MCPG_EVERY_STORY: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let failures = ''
  child.stdout.on('data', (chunk: Buffer) => (failures = (failures + chunk.toString()).slice(-20_000)))
  const [code] = (await once(child, 'close')) as [number | null]
  const { passed, failed, skipped } = existsSync(results)
    ? (JSON.parse(readFileSync(results, 'utf8')) as { passed: number; failed: number; skipped: number })
    : { passed: 0, failed: 1, skipped: 0 }
  if (code !== 0) process.stderr.write(failures)
  const isWhole = code === 0 && failed === 0 && skipped === 0 && passed > 0
  return { measured: `${what}: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`, ok: isWhole }
}
