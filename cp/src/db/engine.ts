import type { Reads, Tx } from './client.ts'

/** What an operator is told about the database; `address` has no password. */
export type DatabaseFacts = {
  engine: 'sqlite' | 'postgresql'
  version: string
  address: string
  sizeBytes: number
  migrations: number
}

/** One database behind the doors of `Db`, which see to it that only one thing at a time asks it to write. */
export type Engine = {
  reads: Reads
  snapshot<T>(work: (reads: Reads) => Promise<T>): Promise<T>
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** What the writer thread opens; survives a structured clone. */
  writer: WriterTarget
  facts(): Promise<DatabaseFacts>
  /** Throws unavailable while this process may not write. */
  assertWritable(): void
  /** `fail` is told when the database can never be used by this process again. */
  watch(fail: (error: unknown) => void): void
  close(): Promise<void>
}

export type WriterTarget = { engine: 'sqlite'; path: string } | { engine: 'postgresql'; target: PostgresTarget }

/** Where a PostgreSQL is, as the URL says it; files are read when it is opened. */
export type PostgresAddress = {
  host: string
  port: number
  user: string
  database: string
  password?: string
  tls: { mode: 'disable' | 'require' | 'verify-full'; rootCertFile?: string; certFile?: string; keyFile?: string }
}

/** How a connection is opened; plain data, so that a thread can have it. */
export type PostgresTarget = Omit<PostgresAddress, 'tls'> & {
  ssl: { rejectUnauthorized: boolean; ca?: string; cert?: string; key?: string } | false
  owner: Owner
}

/** The control plane that a database belongs to: a row of `facts`, and the name of its connections. */
export type Owner = { boot: string; host: string; pid: number; since: string }

/** What can be seen of a database from outside. `owner` is the control plane that has it now; null for none. */
export type Inspection = DatabaseFacts & { owner: Owner | null }

/** Longest that a transaction waits for its turn, and that it may take. */
export const transactionLimits = { maxWaitMs: 30_000, timeoutMs: 30_000 }
