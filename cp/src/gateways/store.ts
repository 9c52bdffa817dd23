import type { Db, Tx } from '../db/db.ts'
import type { ConnectionState } from '@mcpg/proto/status'

/** A row of `gateways`, JSON columns read. Times are RFC 3339, hashes lower-case hex. */
export type GatewayRow = {
  id: string
  org: string
  workspace: string
  environment: string
  name: string
  instanceUid: string
  origin: 'enrolled' | 'managed'
  labels: Record<string, string>
  spkiSha256: string
  sealingPublicKey: Uint8Array<ArrayBuffer>
  credentialSequence: number
  bearerSha256: string | null
  enrollmentId: string
  enrolledAt: string
  updatedAt: string
  revokedAt: string | null
  lockedAt: string | null
  connection: ConnectionState
  connectionChangedAt: string
  lastSeenAt: string | null
  description: string | null
  descriptionHash: string | null
  sessionEpoch: number
  bootId: string | null
  appliedHash: string | null
  lkgHash: string | null
  highestGeneration: number
}

/** What changes while a gateway is connected; written together, at most ten times a second. */
export type GatewayPatch = Partial<
  Pick<
    GatewayRow,
    | 'connection'
    | 'connectionChangedAt'
    | 'lastSeenAt'
    | 'description'
    | 'descriptionHash'
    | 'sessionEpoch'
    | 'bootId'
    | 'appliedHash'
    | 'lkgHash'
    | 'highestGeneration'
  >
>

export type Tombstone = { id: string; bearerSha256: string | null }

export type GatewayStore = ReturnType<typeof gatewayStore>

export function gatewayStore({ read }: Pick<Db, 'read'>) {
  return {
    listAll,
    listTombstones,
    namesOfDeleted,
    listServers,
    find,
    insert,
    setCredential,
    setLabels,
    succeed,
    setOrigin,
    revoke,
    lock,
    bury,
    inventory,
  }

  async function listAll(): Promise<GatewayRow[]> {
    return (await read.gateway.findMany()).map(rowOf)
  }

  async function find(id: string): Promise<GatewayRow | null> {
    const row = await read.gateway.findUnique({ where: { id } })
    return row && rowOf(row)
  }

  async function listTombstones(): Promise<Tombstone[]> {
    return read.gatewayTombstone.findMany({ select: { id: true, bearerSha256: true } })
  }

  async function namesOfDeleted(ids: string[]): Promise<{ id: string; name: string }[]> {
    return read.gatewayTombstone.findMany({ where: { id: { in: ids } }, select: { id: true, name: true } })
  }

  async function listServers(): Promise<{ gatewayId: string; server: string; status: string }[]> {
    return read.gatewayServer.findMany({
      select: { gatewayId: true, server: true, status: true },
    })
  }

  async function insert(tx: Tx, row: GatewayRow): Promise<void> {
    await tx.gateway.create({ data: { ...row, labels: JSON.stringify(row.labels), sessionEpoch: BigInt(row.sessionEpoch) } })
  }

  /** One more credential; its number, or null when the gateway is gone, revoked or locked. Without a bearer it is a certificate. */
  async function setCredential(
    tx: Tx,
    id: string,
    bearerSha256: string | null,
  ): Promise<{ credentialSequence: number; name: string } | null> {
    const row = await tx.gateway.findFirst({ where: { id, revokedAt: null, lockedAt: null } })
    if (!row) return null
    const credentialSequence = row.credentialSequence + 1
    await tx.gateway.update({ where: { id }, data: { bearerSha256, credentialSequence } })
    return { credentialSequence, name: row.name }
  }

  async function setLabels(tx: Tx, id: string, labels: Record<string, string>, updatedAt: string): Promise<void> {
    await tx.gateway.update({ where: { id }, data: { labels: JSON.stringify(labels), updatedAt } })
  }

  async function succeed(
    tx: Tx,
    id: string,
    { labels, ...row }: { name: string; labels: Record<string, string>; updatedAt: string },
  ): Promise<void> {
    await tx.gateway.update({ where: { id }, data: { ...row, labels: JSON.stringify(labels) } })
  }

  async function setOrigin(tx: Tx, id: string, row: Pick<GatewayRow, 'origin' | 'updatedAt'>): Promise<void> {
    await tx.gateway.update({ where: { id }, data: row })
  }

  async function revoke(tx: Tx, id: string, now: string): Promise<void> {
    await tx.gateway.update({
      where: { id },
      data: { revokedAt: now, updatedAt: now, connection: 'revoked', connectionChangedAt: now },
    })
  }

  async function lock(tx: Tx, id: string, now: string): Promise<void> {
    await tx.gateway.update({ where: { id }, data: { lockedAt: now, updatedAt: now } })
  }

  /** Deletes a gateway with everything that is about it, and leaves what it takes to tell its agent. */
  async function bury(
    tx: Tx,
    { id, org, workspace, environment, name, instanceUid, bearerSha256 }: GatewayRow,
    deletedAt: string,
  ): Promise<void> {
    await tx.gatewayTombstone.create({ data: { id, org, workspace, environment, name, instanceUid, bearerSha256, deletedAt } })
    const gatewayId = id
    await tx.assignment.deleteMany({ where: { gatewayId } })
    await tx.serverHold.deleteMany({ where: { gatewayId } })
    await tx.gatewayPin.deleteMany({ where: { gatewayId } })
    await tx.gatewayServer.deleteMany({ where: { gatewayId } })
    await tx.gatewayCertificate.deleteMany({ where: { gatewayId } })
    await tx.gateway.delete({ where: { id } })
  }

  async function inventory(hash: string): Promise<string | null> {
    return (await read.inventory.findUnique({ where: { hash } }))?.body ?? null
  }
}

type Stored = Omit<GatewayRow, 'labels' | 'sessionEpoch' | 'origin' | 'connection' | 'sealingPublicKey'> & {
  labels: string
  sessionEpoch: bigint
  origin: string
  connection: string
  sealingPublicKey: Uint8Array
}

function rowOf(row: Stored): GatewayRow {
  return {
    ...row,
    labels: JSON.parse(row.labels) as Record<string, string>,
    sessionEpoch: Number(row.sessionEpoch),
    origin: row.origin as GatewayRow['origin'],
    connection: row.connection as ConnectionState,
    sealingPublicKey: new Uint8Array(row.sealingPublicKey),
  }
}
