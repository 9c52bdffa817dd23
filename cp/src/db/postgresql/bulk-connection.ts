import type { Client } from 'pg'
import type { BulkConnection, Value } from '../bulk-connection.ts'
import type { PostgresTarget } from '../engine.ts'
import { connectWriter } from './connect.ts'

/** Rows of one statement: a thousand ways to the server become two, and no statement has more parameters than the protocol can number. */
const portion = 500
const maxParameters = 32_000

/** Writes with statements of many rows over a connection that is opened again when it broke. */
export function postgresBulkConnection(target: PostgresTarget): BulkConnection {
  let open: Promise<Client> | null = null
  return {
    async transaction(work) {
      await query('BEGIN')
      try {
        const result = await work()
        await query('COMMIT')
        return result
      } catch (error) {
        // A connection that broke has rolled it back already.
        await query('ROLLBACK').catch(() => discard())
        throw error
      }
    },
    async run(statement, rows = [[]]) {
      for (const part of portionsOf(rows)) await query(withRows(statement, part), part.flat().map(stored))
    },
    async all<Row>(statement: string, rows: readonly Value[][] = [[]]) {
      const found: Row[] = []
      for (const part of portionsOf(rows)) found.push(...((await query(withRows(statement, part), part.flat().map(stored))) as Row[]))
      return found
    },
    async close() {
      await (await open?.catch(() => null))?.end().catch(() => {})
    },
  }

  async function query(text: string, values: Value[] = []): Promise<unknown[]> {
    const client = await (open ??= connect())
    return (await client.query(text, values)).rows as unknown[]
  }

  async function connect(): Promise<Client> {
    try {
      const client = await connectWriter(target)
      client.once('end', () => (open = null))
      return client
    } catch (error) {
      open = null
      throw error
    }
  }

  function discard(): void {
    const broken = open
    open = null
    void broken?.then((client) => client.end()).catch(() => {})
  }
}

function* portionsOf(rows: readonly Value[][]): Generator<readonly Value[][]> {
  const size = Math.max(1, Math.min(portion, Math.floor(maxParameters / Math.max(1, rows[0]?.length ?? 1))))
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size)
}

function withRows(statement: string, rows: readonly Value[][]): string {
  let number = 0
  const list = rows.map((row) => `(${row.map(() => `$${++number}`).join(', ')})`).join(', ')
  return statement.replace('{rows}', list)
}

/** Text of PostgreSQL has no NUL, and what a gateway reports may. */
const stored = (value: Value): Value => (typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value)
