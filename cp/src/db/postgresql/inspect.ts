import { databaseFailure } from '../failures.ts'
import type { Inspection, PostgresAddress } from '../engine.ts'
import { shownAddress } from './address.ts'
import { connect, lockSpace, ownerLock, readOwner } from './connect.ts'
import { startFailure } from './failures.ts'
import { targetOf } from './target.ts'

/** Reaches a PostgreSQL as a control plane does, without its locks. */
export async function inspectPostgres(address: PostgresAddress): Promise<Inspection> {
  const shown = shownAddress(address)
  try {
    const client = await connect(targetOf(address), 'reads')
    try {
      const { rows } = await client.query<{ version: string; size: string; migrations: boolean; taken: boolean }>(
        `SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size,
          to_regclass('_prisma_migrations') IS NOT NULL AS migrations,
          EXISTS (SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
            WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database() AND l.classid = $1 AND l.objid = $2) AS taken`,
        [lockSpace, ownerLock],
      )
      const row = rows[0]!
      const counted = row.migrations
        ? await client.query<{ count: number }>('SELECT count(*)::int AS count FROM _prisma_migrations WHERE finished_at IS NOT NULL')
        : null
      return {
        engine: 'postgresql',
        version: row.version.split(' ')[0] ?? '',
        address: shown,
        sizeBytes: Number(row.size),
        migrations: counted?.rows[0]?.count ?? 0,
        owner: row.taken ? await readOwner(client) : null,
      }
    } finally {
      await client.end().catch(() => {}) // it broke on the way
    }
  } catch (error) {
    const failure = databaseFailure(error)
    throw failure ? startFailure(failure, shown) : error
  }
}
