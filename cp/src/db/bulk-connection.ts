/** What a column of a bulk statement may hold. */
export type Value = string | number | boolean | null | Uint8Array

/**
 * A connection that writes many rows. A statement has the text `{rows}` once, where the rows stand as a list of parentheses, or not at
 * all; both engines understand it: identifiers quoted, and a number that comes through a `WITH … AS (VALUES {rows})` cast, because
 * PostgreSQL takes it for text there. Each engine runs it over as many rows at once as suits it, so no row of one call may depend on
 * another, and no two may have the same key.
 */
export type BulkConnection = {
  /** All or nothing; rolled back when `work` throws. */
  transaction<T>(work: () => Promise<T>): Promise<T>
  run(statement: string, rows?: readonly Value[][]): Promise<void>
  /** The rows that the statement answers, in no order. */
  all<Row>(statement: string, rows?: readonly Value[][]): Promise<Row[]>
  close(): Promise<void>
}
