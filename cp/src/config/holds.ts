import type { Db } from '../db/db.ts'
import type { TellOfGateway } from '../events/gateway-events.ts'
import type { Registry } from '../gateways/registry.ts'
import type { ConfigStore, HoldRow } from './store.ts'

export type Holds = ReturnType<typeof holdBook>

/** Server revisions that gateways refused, in memory as they stand in the table. What is held is compiled in its last good revision. */
export function holdBook({
  db,
  store,
  registry,
  happened,
}: {
  db: Pick<Db, 'write' | 'insertHolds'>
  store: Pick<ConfigStore, 'listHolds' | 'deleteHoldsOfServer'>
  registry: Pick<Registry, 'get'>
  happened: TellOfGateway
}) {
  const holds = new Map<string, HoldRow>() // by gateway, server and sub-hash
  return { load, add, of, forgive, lifted, forgetServer, forgetGateways }

  async function load(): Promise<void> {
    for (const row of await store.listHolds()) holds.set(keyOf(row), row)
  }

  /** Those of them that are new, once they are on disk. */
  async function add(rows: HoldRow[]): Promise<HoldRow[]> {
    const fresh = rows.filter((row) => !holds.has(keyOf(row)))
    if (fresh.length === 0) return []
    await db.insertHolds(fresh.map((row) => ({ ...row, evidence: JSON.stringify(row.evidence) })))
    for (const row of fresh) {
      holds.set(keyOf(row), row)
      happened(row.gatewayId, { reason: 'HeldBack', warning: true, message: `${row.reason}: ${row.message}` }, row.server)
    }
    return fresh
  }

  /** The first of a server on a gateway. */
  function of(gatewayId: string, serverUid: string): HoldRow | undefined {
    return [...holds.values()].find((row) => row.gatewayId === gatewayId && row.serverUid === serverUid)
  }

  /** `server restart --retry`: whatever gateways of the scope refused of the server is tried again. */
  async function forgive(scope: string, server: string): Promise<void> {
    const [org, workspace] = scope.split('/')
    const rows = [...holds.values()].filter(
      (row) => row.server === server && registry.get(row.gatewayId)?.org === org && registry.get(row.gatewayId)?.workspace === workspace,
    )
    const uids = new Set(rows.map((row) => row.serverUid))
    await db.write(async (tx) => {
      for (const uid of uids) await store.deleteHoldsOfServer(tx, uid)
    })
    for (const row of rows) lift(row, 'the same revision is tried once more')
  }

  /** Another revision is wanted now; the rows went with the compile that found it out. */
  function lifted(pairs: { gatewayId: string; serverUid: string }[]): void {
    for (const { gatewayId, serverUid } of pairs)
      for (const row of holds.values())
        if (row.gatewayId === gatewayId && row.serverUid === serverUid) lift(row, 'another revision is wanted now')
  }

  function lift(row: HoldRow, why: string): void {
    holds.delete(keyOf(row))
    happened(row.gatewayId, { reason: 'HoldLifted', warning: false, message: why }, row.server)
  }

  function forgetServer(serverUid: string | undefined): void {
    forget((row) => row.serverUid === serverUid)
  }

  /** Of gateways that are not there any more. */
  function forgetGateways(): void {
    forget((row) => !registry.get(row.gatewayId))
  }

  function forget(isGone: (row: HoldRow) => boolean): void {
    for (const [key, row] of holds) if (isGone(row)) holds.delete(key)
  }
}

const keyOf = ({ gatewayId, serverUid, subHash }: HoldRow): string => `${gatewayId}/${serverUid}/${subHash}`
