import { randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import { migrationFailure, readMigrations, refuseStrangers, type Applied, type Migration } from '../migrations.ts'

/**
 * Brings the database up to the newest migration in `folder` and answers how many it has. To be called by the one that owns the database.
 * Every migration is one transaction together with its row in `_prisma_migrations`, so an interrupted start leaves none half done.
 */
export async function migrate(client: Client, folder: string): Promise<number> {
  const known = readMigrations(folder)
  const applied = await readApplied(client)
  refuseStrangers(applied, known)
  for (const migration of known.slice(applied.length)) await apply(client, migration)
  return known.length
}

async function readApplied(client: Client): Promise<Applied[]> {
  // Prisma's own table, to the letter, so that its tools recognize the history.
  await client.query(`CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL, "checksum" VARCHAR(64) NOT NULL, "finished_at" TIMESTAMPTZ, "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT, "rolled_back_at" TIMESTAMPTZ, "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(), "applied_steps_count" INTEGER NOT NULL DEFAULT 0)`)
  const { rows } = await client.query<{ name: string; checksum: string; finished: boolean }>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished FROM _prisma_migrations
      WHERE rolled_back_at IS NULL ORDER BY migration_name COLLATE "C"`,
  )
  return rows
}

async function apply(client: Client, { name, sql, checksum }: Migration): Promise<void> {
  const startedAt = new Date().toISOString()
  await client.query('BEGIN')
  try {
    await client.query(sql)
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, started_at, applied_steps_count) VALUES ($1, $2, $3, $4, $5, 1)`,
      [randomUUID(), checksum, new Date().toISOString(), name, startedAt],
    )
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}) // the connection is gone, and the transaction with it
    throw migrationFailure(name, error)
  }
}
