import type { PostgresAddress } from './engine.ts'
import { readPostgresUrl } from './postgresql/address.ts'

/** Where the database is; `migrationsFolder` is that of the engine. */
export type DatabaseSettings = { migrationsFolder: string } & (
  | { engine: 'sqlite'; path: string }
  | { engine: 'postgresql'; address: PostgresAddress }
)

type Read = { engine: 'sqlite'; path: string | null } | { engine: 'postgresql'; address: PostgresAddress } | { problems: string[] }

/** Reads `--database-url`: `postgres://…`, `sqlite:<path>`, or nothing for the file in the state dir, whose path is null here. */
export function readDatabaseUrl(url: string | undefined): Read {
  if (url === undefined) return { engine: 'sqlite', path: null }
  if (/^postgres(ql)?:/i.test(url)) {
    const read = readPostgresUrl(url)
    return 'problems' in read ? read : { engine: 'postgresql', address: read.address }
  }
  if (!/^(sqlite|file):./i.test(url)) return { problems: ['must be sqlite:<path> or postgres://<user>@<host>:5432/<database>'] }
  return { engine: 'sqlite', path: url.replace(/^(sqlite|file):(\/\/(?=\/))?/i, '') }
}
