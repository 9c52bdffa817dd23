import type { Inspection } from '@mcpg/cp/main'
import { McpgError } from '@mcpg/proto/errors'
import type { ControlStatus } from '@mcpg/proto/rest/control'
import type { Context } from '../context.ts'
import { bytes } from '../output/age.ts'
import { programFlags } from './program-flags.ts'

export type DatabaseOptions = { databaseUrl?: string; databaseUrlFile?: string }

/** The PostgreSQL that these flags and variables name, looked at from this machine; null when they name none. */
export async function inspectDatabase(context: Context, { databaseUrl, databaseUrlFile }: DatabaseOptions): Promise<Inspection | null> {
  // A file of the state dir needs no control plane's code to be looked at.
  if (!(databaseUrl ?? databaseUrlFile ?? context.env.env['MCPG_DATABASE_URL'] ?? context.env.env['MCPG_DATABASE_URL_FILE'])) return null
  const { inspect } = await import('@mcpg/cp/main')
  return await inspect(programFlags(context, { databaseUrl, databaseUrlFile }), context.env.env)
}

export function failedInspection(error: unknown): { error: string; hint?: string } {
  if (!(error instanceof McpgError)) throw error
  return { error: error.message, ...(error.hint ? { hint: error.hint } : {}) }
}

export function databaseLine({
  engine,
  version,
  address,
  sizeBytes,
  migrations,
}: Pick<ControlStatus['database'], 'engine' | 'version' | 'address' | 'sizeBytes' | 'migrations'>): string {
  const name = { sqlite: 'SQLite', postgresql: 'PostgreSQL' }[engine]
  return `${name} ${version} at ${address}, ${bytes(sizeBytes)}, ${migrations} migrations`
}

export function inspectionLine(found: Inspection): string {
  const { owner } = found
  return `${databaseLine(found)}, ${owner ? `in use by the control plane with pid ${owner.pid} on ${owner.host}` : 'in use by no control plane'}`
}
