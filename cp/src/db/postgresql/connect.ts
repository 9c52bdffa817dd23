import { isIP } from 'node:net'
import { Client, type ClientBase, type ClientConfig } from 'pg'
import { McpgError } from '@mcpg/proto/errors'
import type { Owner, PostgresTarget } from '../engine.ts'

/** Two locks of the database (`mcpg` as a number): of its owner, and of everything that writes for it. */
export const lockSpace = 0x6d_63_70_67
export const ownerLock = 1
export const writersLock = 2

const connectTimeoutMs = 10_000
/** A statement that takes longer is ended by the server, and given up here when the server does not answer any more. */
const statementTimeoutMs = 30_000
/** Key of the row of `facts` that names the owner. */
export const ownerFact = 'owner'

export type Purpose = 'owner' | 'reads' | 'writes'

export function clientConfig({ host, port, user, database, password, ssl, owner }: PostgresTarget, purpose: Purpose): ClientConfig {
  const settings = {
    // Prisma names the schema and plain statements do not; both mean this one.
    search_path: 'public',
    default_transaction_isolation: 'read committed',
    // Somebody whose machine vanished loses its locks within half a minute.
    tcp_keepalives_idle: 10,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
    ...(purpose === 'reads' ? { default_transaction_read_only: 'on' } : {}),
    // The owner's connection migrates, and is idle otherwise.
    ...(purpose === 'owner' ? {} : { statement_timeout: statementTimeoutMs, idle_in_transaction_session_timeout: 2 * statementTimeoutMs }),
  }
  return {
    host,
    port,
    user,
    database,
    password,
    ssl: ssl && { ...ssl, ...(isIP(host) ? {} : { servername: host }) },
    application_name: `mcpg ${purpose} ${owner.host} ${owner.pid}`,
    options: Object.entries(settings)
      .map(([name, value]) => `-c ${name}=${String(value).replaceAll(' ', '\\ ')}`)
      .join(' '),
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(purpose === 'owner' ? {} : { query_timeout: statementTimeoutMs + 5_000 }),
  }
}

/** A connection whose loss is told by `end` and is no unhandled error. */
export async function connect(target: PostgresTarget, purpose: Purpose): Promise<Client> {
  const client = new Client(clientConfig(target, purpose))
  client.on('error', () => {})
  await client.connect()
  return client
}

export async function connectWriter(target: PostgresTarget): Promise<Client> {
  const client = await connect(target, 'writes')
  try {
    await admitWriter(client, target.owner)
    return client
  } catch (error) {
    drop(client)
    throw error
  }
}

/**
 * Before its first write a connection takes part in the lock of the writers, which a new owner must have for itself once; so what an
 * owner has sent before it lost the database is over before the next one reads, and a connection it opens later finds another owner.
 */
export async function admitWriter(client: ClientBase, owner: Owner): Promise<void> {
  await client.query('SELECT pg_advisory_lock_shared($1, $2)', [lockSpace, writersLock])
  const now = await readOwner(client)
  if (now?.boot !== owner.boot) throw takenOver(now)
}

export async function readOwner(client: ClientBase): Promise<Owner | null> {
  const { rows } = await client.query<{ value: string }>('SELECT "value" FROM "facts" WHERE "key" = $1', [ownerFact])
  return rows[0] ? (JSON.parse(rows[0].value) as Owner) : null
}

export function takenOver(by: Owner | null): McpgError {
  const who = by ? `the control plane with pid ${by.pid} on ${by.host}` : 'another control plane'
  return new McpgError('failed_precondition', 'database_taken_over', `The database was taken over by ${who} while it was out of reach.`, {
    hint: 'This version runs one control plane per database. Stop one of them, or give this one another --database-url.',
  })
}

/** Ends a connection without a word, when the other side may not answer. */
export function drop(client: ClientBase): void {
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}
