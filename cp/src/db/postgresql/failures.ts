import { McpgError } from '@mcpg/proto/errors'
import type { Signs } from '../signs.ts'

type Case = {
  /** SQLSTATE (a class ends with *), code of Node or kind of the adapter. */
  codes: readonly string[]
  text?: RegExp
  reason: string
  said: string
  hint: string
  retryAfterSeconds: number
}

/** Everything here passes once somebody has mended the server, so all of it is unavailable: what waits to be written keeps waiting. */
const cases: readonly Case[] = [
  {
    codes: ['53100', '53200', '58030'],
    reason: 'disk_full',
    said: 'PostgreSQL has no disk space or memory left, so nothing was written.',
    hint: 'Free some on the machine of PostgreSQL, then try again.',
    retryAfterSeconds: 30,
  },
  {
    codes: ['53300', '53400', 'TooManyConnections'],
    reason: 'database_busy',
    said: 'PostgreSQL takes no more connections.',
    hint: 'Raise max_connections of the server or the CONNECTION LIMIT of the role; a control plane uses up to 14.',
    retryAfterSeconds: 5,
  },
  {
    codes: ['40001', '40P01', '55P03', '57014', 'TransactionWriteConflict'],
    reason: 'database_busy',
    said: 'PostgreSQL did not get to it in time.',
    hint: 'Try again; if it stays, look for long transactions of others: SELECT * FROM pg_stat_activity',
    retryAfterSeconds: 1,
  },
  {
    codes: ['28P01', '28000', 'AuthenticationFailed', 'DatabaseAccessDenied'],
    text: /password must be a string|SASL/,
    reason: 'database_refused_login',
    said: 'PostgreSQL refuses the user or the password of --database-url.',
    hint: 'Try the same URL with psql, and look at pg_hba.conf of the server.',
    retryAfterSeconds: 30,
  },
  {
    codes: ['3D000', 'DatabaseDoesNotExist'],
    reason: 'database_missing',
    said: 'PostgreSQL has no database of that name.',
    hint: 'Create it: createdb --owner <user> <database>',
    retryAfterSeconds: 30,
  },
  {
    codes: ['42501'],
    reason: 'database_rights_missing',
    said: 'The user of --database-url may not do this in its database.',
    hint: 'Let it own the database: ALTER DATABASE <database> OWNER TO <user>, or GRANT CREATE, USAGE ON SCHEMA public TO <user>',
    retryAfterSeconds: 30,
  },
  {
    codes: ['25006'],
    reason: 'database_read_only',
    said: 'PostgreSQL only reads at the moment, as a standby does.',
    hint: 'Name the primary in --database-url.',
    retryAfterSeconds: 5,
  },
  {
    codes: ['TlsConnectionError'],
    text: /does not support SSL connections|establishing an SSL connection|self.signed certificate|certificate has expired|unable to verify/i,
    reason: 'database_tls_failed',
    said: 'The encrypted connection to PostgreSQL cannot be made.',
    hint: 'Look at sslmode and sslrootcert in --database-url; without sslmode the connection is not encrypted.',
    retryAfterSeconds: 30,
  },
  {
    codes: ['08*', '57P*', '53*', 'P1001', 'P1008', 'P1017', 'DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout'],
    text: /Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|not queryable|Client was closed|Client has encountered a connection error/,
    reason: 'storage_unavailable',
    said: 'PostgreSQL does not answer.',
    hint: 'Start it, or look at host and port of --database-url; nothing needs to be done here, it is found again by itself.',
    retryAfterSeconds: 5,
  },
]
const network = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE', 'EAI_AGAIN']

export function postgresFailure({ codes, text }: Signs, error: unknown): McpgError | null {
  const found = cases.find((one) => one.codes.some((code) => hasCode(codes, code)) || one.text?.test(text))
  // A file that cannot be written has codes of Node too, but none of these.
  const known = found ?? (network.some((code) => codes.has(code)) ? cases.at(-1)! : null)
  if (!known) return null
  const { reason, said, hint, retryAfterSeconds } = known
  return new McpgError('unavailable', reason, said, { hint, cause: error, retryAfterSeconds })
}

/** The same at the start, where what an operator has to mend is not worth another try. */
export function startFailure(failure: McpgError, address: string): McpgError {
  const isLasting = ['database_refused_login', 'database_missing', 'database_rights_missing', 'database_tls_failed'].includes(
    failure.reason,
  )
  return new McpgError(isLasting ? 'failed_precondition' : 'unavailable', failure.reason, `${failure.message} (${address})`, {
    hint:
      failure.reason === 'storage_unavailable'
        ? 'Start it, or look at host and port of --database-url; then start mcpg again.'
        : failure.hint,
    cause: failure.cause,
    ...(isLasting ? {} : { retryAfterSeconds: failure.retryAfterSeconds }),
  })
}

function hasCode(codes: ReadonlySet<string>, wanted: string): boolean {
  if (!wanted.endsWith('*')) return codes.has(wanted)
  const start = wanted.slice(0, -1)
  return [...codes].some((code) => code.length === 5 && code.startsWith(start))
}
