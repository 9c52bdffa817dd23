import { McpgError } from '@mcpg/proto/errors'
import { ControlStatus } from '@mcpg/proto/rest/control'
import type { RunFile } from '@mcpg/proto/run-files'
import type { Context } from '../context.ts'
import { databaseLine, inspectDatabase, inspectionLine, type DatabaseOptions } from '../local/database.ts'
import { fail, ok, type Check } from './check.ts'

/** The PostgreSQL that is named here or that the running control plane uses; null where the database is a file. */
export async function checkPostgres(
  context: Context,
  controlPlane: RunFile | null,
  options: DatabaseOptions,
): Promise<{ check: Check; hasData: boolean } | null> {
  try {
    const found = await inspectDatabase(context, options)
    if (found) return { check: ok('database', inspectionLine(found)), hasData: found.migrations > 0 }
  } catch (error) {
    if (!(error instanceof McpgError)) throw error
    return { check: fail('database', error.message, error.hint ?? 'look at --database-url'), hasData: false }
  }
  if (!controlPlane) return null
  const used = await databaseInUse(context)
  return used && { check: ok('database', `${databaseLine(used)}, reached by the control plane`), hasData: true }
}

/** Of the running control plane; null where it does not answer, which other checks tell. */
async function databaseInUse(context: Context): Promise<ControlStatus['database'] | null> {
  const api = await context.api()
  const status = await api.call('GET', '/v1/control/status', { schema: ControlStatus, timeoutMs: 5000 }).then(
    ({ body }) => body,
    () => null,
  )
  return status?.database.engine === 'postgresql' ? status.database : null
}
