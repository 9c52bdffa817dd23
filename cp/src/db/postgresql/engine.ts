import { PrismaPg } from '@prisma/adapter-pg'
import type { ClientBase } from 'pg'
import { isLoopbackHost } from '@mcpg/core/http-guard'
import type { Log } from '@mcpg/core/log'
import type { Reads, Tx } from '../client.ts'
import { transactionLimits, type DatabaseFacts, type Engine, type PostgresAddress } from '../engine.ts'
import { closedMessage, databaseFailure } from '../failures.ts'
import { PrismaClient as PostgresClient } from '../generated/postgresql/client.ts'
import type { PrismaClient } from '../generated/sqlite/client.ts'
import { shownAddress } from './address.ts'
import { admitWriter, clientConfig, drop } from './connect.ts'
import { startFailure } from './failures.ts'
import { takeOwnership, type Ownership } from './ownership.ts'
import { targetOf } from './target.ts'

/** Connections of the reads; with the one of writes, its spare, the writer thread's and the owner's a control plane has 14 at most. */
const readConnections = 10
const writeConnections = 2

/** Takes the database for this process, migrates it and opens it. Throws McpgError with what an operator can mend. */
export async function openPostgres({
  address,
  migrationsFolder,
  log,
}: {
  address: PostgresAddress
  migrationsFolder: string
  log: Pick<Log, 'info' | 'warn'>
}): Promise<Engine> {
  const target = targetOf(address)
  const shown = shownAddress(target)
  const open = new Set<ClientBase>()
  let isClosed = false
  const ownership = await owned()
  if (!target.ssl && !target.host.startsWith('/') && !isLoopbackHost(target.host))
    log.warn({ database: shown }, 'the connection to PostgreSQL is not encrypted; add ?sslmode=verify-full to --database-url')
  const reader = told(client('reads', readConnections))
  const writer = client('writes', writeConnections)
  const options = { maxWait: transactionLimits.maxWaitMs, timeout: transactionLimits.timeoutMs }

  return {
    reads: reader as unknown as PrismaClient,
    snapshot: (work) => reader.$transaction((tx) => work(tx as unknown as Reads), { ...options, isolationLevel: 'RepeatableRead' }),
    transaction: (work) => writer.$transaction((tx) => work(tx as unknown as Tx), options),
    writer: { engine: 'postgresql', target },
    facts,
    assertWritable() {
      if (isClosed) throw new Error(closedMessage)
      const refusal = ownership.refusal()
      if (refusal) throw refusal
    },
    watch: (fail) => ownership.watch(fail),
    async close() {
      isClosed = true
      await Promise.all([reader.$disconnect(), writer.$disconnect()])
      await ownership.close()
    },
  }

  async function owned(): Promise<Ownership> {
    try {
      return await takeOwnership({
        target,
        migrationsFolder,
        onLost() {
          log.warn({ database: shown }, 'PostgreSQL does not answer; nothing is written until it is back')
          // What waits on them would wait for its timeout.
          for (const one of open) drop(one)
        },
        onRegained: () => log.info({ database: shown }, 'PostgreSQL answers again'),
      })
    } catch (error) {
      const failure = databaseFailure(error)
      throw failure?.code === 'unavailable' ? startFailure(failure, shown) : (failure ?? error)
    }
  }

  function client(purpose: 'reads' | 'writes', max: number): PostgresClient {
    const adapter = new PrismaPg({
      ...clientConfig(target, purpose),
      max,
      idleTimeoutMillis: 60_000,
      // The pool waits for what this answers, whatever its type says.
      onConnect: (connection: ClientBase) => {
        open.add(connection)
        // Told by the query that it breaks, and by the ownership.
        connection.on('error', () => {})
        connection.once('end', () => open.delete(connection))
        return purpose === 'writes' ? admitWriter(connection, target.owner) : undefined
      },
    })
    const connect = adapter.connect.bind(adapter)
    // Prisma connects again at the next query; after the stop that would leave connections that nobody closes.
    adapter.connect = async () => {
      if (isClosed) throw new Error(closedMessage)
      return await connect()
    }
    return new PostgresClient({ adapter, errorFormat: 'minimal' })
  }

  async function facts(): Promise<DatabaseFacts> {
    const [row] = await reader.$queryRaw<{ version: string; size: bigint }[]>`
      SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size`
    return {
      engine: 'postgresql',
      version: row?.version.split(' ')[0] ?? '',
      address: shown,
      sizeBytes: Number(row?.size ?? 0),
      migrations: ownership.migrations,
    }
  }
}

/** A read has no door that says what its failure means. */
function told(client: PostgresClient) {
  return client.$extends({
    query: {
      $allOperations: ({ args, query }) =>
        query(args).catch((error: unknown) => {
          throw databaseFailure(error) ?? error
        }),
    },
  })
}
