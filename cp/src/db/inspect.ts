import type { Inspection } from './engine.ts'
import type { DatabaseSettings } from './settings.ts'

export type { Inspection }

/** Looks at a PostgreSQL without taking or changing anything; null for a file, which a state dir shows. Throws McpgError. */
export async function inspectDatabase(settings: DatabaseSettings): Promise<Inspection | null> {
  if (settings.engine === 'sqlite') return null
  return await (await import('./postgresql/inspect.ts')).inspectPostgres(settings.address)
}
