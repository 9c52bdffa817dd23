import { secretsOf, type GatewayConfigInput } from '@mcpg/proto/gateway-config'
import type { SecretSpec } from '@mcpg/proto/kinds/secret'
import type { Clock } from '@mcpg/core/clock'
import type { Db } from '../db/db.ts'
import type { Chore } from '../keeper.ts'
import { turn } from '../turns.ts'
import type { SecretVersion } from './store.ts'

/** Candidates looked at in one go. */
const portion = 200

type Value = SecretVersion & { scope: string }

/**
 * Values that nobody can get any more: neither the newest of a key that is there, nor named by a config that is kept, which a gateway
 * may run, go back to or be put back to. What is younger than the look at the configs is left for the next time.
 */
export function secretChores({ db, clock }: { db: Pick<Db, 'read' | 'write'>; clock: Clock }): Chore[] {
  return [{ name: 'values of secrets', run: removeUnused }]

  async function removeUnused(stopping: AbortSignal): Promise<void> {
    const since = new Date(clock.now()).toISOString()
    let named: Set<string> | undefined
    for (let after: Value | null = null; !stopping.aborted;) {
      const rows: Value[] = await olderValues(after, since)
      const outdated = await notCurrent(rows)
      if (outdated.length > 0) named ??= await namedByConfigs(stopping)
      const unused = outdated.filter((value) => !named?.has(idOf(value)))
      if (unused.length > 0 && !(await remove(unused, since))) return
      if (rows.length < portion) return
      after = rows.at(-1)!
      await turn()
    }
  }

  async function olderValues(after: Value | null, since: string): Promise<Value[]> {
    return await db.read.secretValue.findMany({
      where: { createdAt: { lt: since } },
      select: { scope: true, name: true, key: true, version: true },
      orderBy: [{ scope: 'asc' }, { name: 'asc' }, { key: 'asc' }, { version: 'asc' }],
      take: portion,
      ...(after && { cursor: { scope_name_key_version: after }, skip: 1 }),
    })
  }

  async function notCurrent(values: Value[]): Promise<Value[]> {
    const outdated: Value[] = []
    for (const [place, ofSecret] of Map.groupBy(values, ({ scope, name }) => `${scope}\0${name}`)) {
      const [scope = '', name = ''] = place.split('\0')
      const row = await db.read.resource.findUnique({ where: { scope_kind_name: { scope, kind: 'Secret', name } }, select: { spec: true } })
      const data = row ? (JSON.parse(row.spec) as SecretSpec).data : {}
      const newest = new Map((await db.read.secretKey.findMany({ where: { scope, name } })).map(({ key, version }) => [key, version]))
      outdated.push(...ofSecret.filter(({ key, version }) => !Object.hasOwn(data, key) || newest.get(key) !== version))
      await turn()
    }
    return outdated
  }

  async function namedByConfigs(stopping: AbortSignal): Promise<Set<string>> {
    const named = new Set<string>()
    for (let after = ''; !stopping.aborted;) {
      const [row] = await db.read.config.findMany({ where: { hash: { gt: after } }, orderBy: { hash: 'asc' }, take: 1 })
      if (!row) break
      const { org, workspace, servers } = JSON.parse(Buffer.from(row.bytes).toString()) as GatewayConfigInput
      for (const reference of servers.flatMap(secretsOf)) named.add(idOf({ scope: `${org}/${workspace}`, ...reference }))
      after = row.hash
      await turn()
    }
    return named
  }

  /** False when a config was made while the others were read: it may name what was about to go. */
  async function remove(unused: Value[], since: string): Promise<boolean> {
    return await db.write(async (tx) => {
      if ((await tx.config.count({ where: { createdAt: { gte: since } } })) > 0) return false
      await tx.secretValue.deleteMany({ where: { OR: unused } })
      return true
    })
  }
}

const idOf = ({ scope, name, key, version }: Value) => [scope, name, key, version].join('\0')
