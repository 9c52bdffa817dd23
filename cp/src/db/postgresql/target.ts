import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { McpgError } from '@mcpg/proto/errors'
import type { PostgresAddress, PostgresTarget } from '../engine.ts'

/** What a connection of this process needs; reads the files of the certificates. */
export function targetOf({ tls, ...address }: PostgresAddress): PostgresTarget {
  const owner = { boot: randomUUID(), host: hostname(), pid: process.pid, since: new Date().toISOString() }
  if (tls.mode === 'disable') return { ...address, ssl: false, owner }
  const { rootCertFile, certFile, keyFile } = tls
  return {
    ...address,
    ssl: {
      rejectUnauthorized: tls.mode === 'verify-full',
      ...(rootCertFile ? { ca: contentOf('sslrootcert', rootCertFile) } : {}),
      ...(certFile ? { cert: contentOf('sslcert', certFile) } : {}),
      ...(keyFile ? { key: contentOf('sslkey', keyFile) } : {}),
    },
    owner,
  }
}

function contentOf(parameter: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new McpgError('invalid', 'invalid_setting', `--database-url: ${parameter} cannot be read: ${(error as Error).message}`, {
      hint: 'Name a PEM file that this user can read.',
      cause: error,
    })
  }
}
