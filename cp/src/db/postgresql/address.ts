import { userInfo } from 'node:os'
import type { PostgresAddress } from '../engine.ts'

const parameters = ['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey']
const modes = ['disable', 'require', 'verify-full'] as const

/**
 * Reads `postgres://<user>[:<password>]@<host>[:<port>]/<database>[?sslmode=…]`; a socket's folder is named by `?host=/path`. Answers
 * everything that is wrong, never with a part of the URL, which may be the password.
 */
export function readPostgresUrl(text: string): { address: PostgresAddress } | { problems: string[] } {
  if (!URL.canParse(text)) return { problems: ['is not a URL: write postgres://<user>@<host>:5432/<database>'] }
  const url = new URL(text)
  const given = (name: string) => url.searchParams.get(name) || undefined
  const problems: string[] = []
  const unknown = [...url.searchParams.keys()].filter((name) => !parameters.includes(name))
  if (unknown.length > 0) problems.push(`has ${unknown.map((name) => `?${name}=`).join(', ')}; known are ${parameters.join(', ')}`)
  const database = decoded(url.pathname.slice(1))
  if (!database) problems.push('names no database: write postgres://<user>@<host>:5432/<database>')
  const user = decoded(url.username) || userInfo().username
  const password = decoded(url.password)
  if (database === null || user === null || password === null) problems.push('has a % that does not stand for a character')
  const mode = given('sslmode') ?? 'disable'
  if (!isMode(mode)) problems.push(`has a sslmode that is not one of ${modes.join(', ')}`)
  if (given('sslkey') && !given('sslcert')) problems.push('has a sslkey without a sslcert')
  if (problems.length > 0 || !isMode(mode)) return { problems }
  return {
    address: {
      host: given('host') ?? (url.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost'),
      port: Number(url.port) || 5432,
      user: user ?? '',
      database: database ?? '',
      ...(password ? { password } : {}),
      tls: { mode, rootCertFile: given('sslrootcert'), certFile: given('sslcert'), keyFile: given('sslkey') },
    },
  }
}

/** As people are told about it: without the password. */
export function shownAddress({ user, host, port, database }: Pick<PostgresAddress, 'user' | 'host' | 'port' | 'database'>): string {
  return host.startsWith('/')
    ? `postgresql://${user}@/${database}?host=${host}`
    : `postgresql://${user}@${hostInUrl(host)}:${port}/${database}`
}

const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)
const isMode = (mode: string): mode is (typeof modes)[number] => (modes as readonly string[]).includes(mode)

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}
