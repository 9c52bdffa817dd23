import Database from 'better-sqlite3'
import type { BulkConnection, Value } from '../bulk-connection.ts'

/** Row by row over prepared statements: there is no way to a server that a longer statement would save. */
export function sqliteBulkConnection(path: string): BulkConnection {
  const database = new Database(path, { timeout: 5_000 })
  const prepared = new Map<string, Database.Statement>()
  return {
    async transaction(work) {
      database.exec('BEGIN IMMEDIATE')
      try {
        const result = await work()
        database.exec('COMMIT')
        return result
      } catch (error) {
        // A full disk has rolled it back already.
        if (database.inTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
    async run(statement, rows = [[]]) {
      for (const row of rows) statementOf(statement, row.length).run(bound(row))
    },
    async all<Row>(statement: string, rows: readonly Value[][] = [[]]) {
      return rows.flatMap((row) => statementOf(statement, row.length).all(bound(row)) as Row[])
    },
    async close() {
      database.close()
    },
  }

  function statementOf(text: string, width: number): Database.Statement {
    let statement = prepared.get(text)
    if (!statement) {
      const places = Array.from({ length: width }, () => '?').join(', ')
      statement = database.prepare(text.replace('{rows}', `(${places})`))
      prepared.set(text, statement)
    }
    return statement
  }
}

/** SQLite has no truth values. */
const bound = (row: readonly Value[]) => row.map((value) => (typeof value === 'boolean' ? Number(value) : value))
