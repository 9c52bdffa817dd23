import type { Db } from '../db/db.ts'

/** Which version of which key of which secret; `scope` is `org/workspace`. */
export type SecretVersion = { name: string; key: string; version: number }

export type StoredValue = SecretVersion & { scope: string; secretUid: string; dataKeyId: string; sealed: Uint8Array }

export type SecretStore = ReturnType<typeof secretStore>

export function secretStore(read: Db['read']) {
  return { keys, values }

  /** Every key that the secret of this name ever had, with its newest version. */
  async function keys(scope: string, name: string): Promise<{ key: string; version: number; updatedAt: string }[]> {
    return await read.secretKey.findMany({
      where: { scope, name },
      select: { key: true, version: true, updatedAt: true },
      orderBy: { key: 'asc' },
    })
  }

  /** In no order; at most some hundred at once. */
  async function values(scope: string, wanted: SecretVersion[]): Promise<StoredValue[]> {
    if (wanted.length === 0) return []
    const OR = wanted.map(({ name, key, version }) => ({ name, key, version }))
    return await read.secretValue.findMany({ where: { scope, OR } })
  }
}
