import type { ServerSpec } from '@mcpg/proto/kinds/server'
import type { Reads } from '../db/db.ts'
import { turn } from '../turns.ts'

/** Newest version of every key, by `secret/key`. */
export type SecretVersions = ReadonlyMap<string, number>

/** Rows of a few short columns that are read in one go. */
const portion = 500

export async function readSecretVersions(reads: Reads, scope: string): Promise<SecretVersions> {
  const versions = new Map<string, number>()
  for (let after = { name: '', key: '' }; ;) {
    const where = { scope, OR: [{ name: { gt: after.name } }, { name: after.name, key: { gt: after.key } }] }
    const rows = await reads.secretKey.findMany({ where, orderBy: [{ name: 'asc' }, { key: 'asc' }], take: portion })
    for (const { name, key, version } of rows) versions.set(`${name}/${key}`, version)
    if (rows.length < portion) return versions
    after = rows.at(-1)!
    await turn()
  }
}

/** Those of a server, or what it names and nobody has. */
export function versionsOf({ env = [], url }: ServerSpec, all: SecretVersions): { secrets: SecretVersions } | { error: string } {
  const secrets = new Map<string, number>()
  for (const { valueFrom } of [...env, ...(url?.headers ?? [])]) {
    if (!valueFrom) continue
    const { name, key } = valueFrom.secretRef
    const version = all.get(`${name}/${key}`)
    if (version === undefined) return { error: `there is no key ${key} of Secret ${name}` }
    secrets.set(`${name}/${key}`, version)
  }
  return { secrets }
}

export const areCurrent = (secrets: SecretVersions, all: SecretVersions): boolean =>
  [...secrets].every(([id, version]) => all.get(id) === version)
