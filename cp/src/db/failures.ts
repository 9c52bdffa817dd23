import { McpgError } from '@mcpg/proto/errors'
import { postgresFailure } from './postgresql/failures.ts'
import { signsOf } from './signs.ts'
import { sqliteFailure } from './sqlite/failures.ts'

export const closedMessage = 'The control plane is stopping; its database is closed.'

/**
 * What a caller may hear about a failure of the database itself; null for everything else (a programming error, a constraint).
 * Recognized by text too, because the adapters keep the driver's code in different places.
 */
export function databaseFailure(error: unknown): McpgError | null {
  if (error instanceof McpgError) return error
  const signs = signsOf(error)
  if (signs.text.includes(closedMessage))
    return new McpgError('unavailable', 'database_closed', closedMessage, { cause: error, retryAfterSeconds: 5 })
  return sqliteFailure(signs, error) ?? postgresFailure(signs, error)
}
