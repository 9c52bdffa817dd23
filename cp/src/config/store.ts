import { ServerSpec, serverKind } from '@mcpg/proto/kinds/server'
import type { ConfigFailure, ConfigState } from '@mcpg/proto/status'
import type { Db, Reads, Tx } from '../db/db.ts'
import type { Hold, Snapshot, SnapshotGateway, SnapshotServer, UnreadableServer } from './compile.ts'
import type { Evidence } from './failing.ts'

/** Where one generation stands: nothing was heard of it yet, it is on its way, or what the gateway said last. */
export type AssignmentState = ConfigState | 'waiting' | 'offered'

/** One generation of one gateway, as signed. */
export type Assignment = {
  gatewayId: string
  generation: number
  configHash: string
  signedHeader: Uint8Array<ArrayBuffer>
  signature: Uint8Array<ArrayBuffer>
  signingKeyId: string
  probationMs: number
  force: boolean
  changeSeq: number
  createdAt: string
  state: AssignmentState
  reason: ConfigFailure | null
  message: string | null
  stateAt: string | null
}

export type HoldRow = {
  gatewayId: string
  serverUid: string
  subHash: string
  server: string
  reason: string
  message: string
  since: string
  evidence: Evidence
}

/** What the tables say; what gateways have of an unreadable server stands in their documents. */
export type StoredSnapshot = Omit<Snapshot, 'unreadable'> & { changeSeq: number; unreadable: Omit<UnreadableServer, 'kept'>[] }

/** Configs kept per gateway. */
export const historyLength = 50

export type ConfigStore = ReturnType<typeof configStore>

export function configStore({ read, snapshot }: Pick<Db, 'read' | 'snapshot'>) {
  return {
    readSnapshot,
    latest,
    lastApplied,
    history,
    find,
    bytes,
    uidsOf,
    failedBefore,
    insert,
    setState,
    setProven,
    listHolds,
    insertHolds,
    deleteHolds,
    deleteHoldsOfServer,
    deleteAssignments,
    prune,
  }

  /** Everything that the documents of a workspace depend on, as of one moment. */
  async function readSnapshot(org: string, workspace: string): Promise<StoredSnapshot> {
    return await snapshot(async (reads) => {
      const scope = `${org}/${workspace}`
      const counter = await reads.scope.findUnique({ where: { scope } })
      const resources = await reads.resource.findMany({ where: { scope, kind: 'Server' } })
      const controls = new Map((await reads.serverControl.findMany()).map((row) => [row.serverUid, row]))
      const servers: SnapshotServer[] = []
      const unreadable: StoredSnapshot['unreadable'] = []
      for (const { uid, name, generation, spec, specVersion } of resources) {
        const read = readSpec(spec, specVersion)
        const { restarts = 0, upgrades = 0 } = controls.get(uid) ?? {}
        if ('spec' in read) servers.push({ uid, name, generation, spec: read.spec, restarts, upgrades })
        else unreadable.push({ uid, name, error: read.error })
      }
      const gateways = await readGateways(reads, org, workspace)
      return { org, workspace, changeSeq: counter?.changeSeq ?? 0, servers, unreadable, gateways }
    })
  }

  async function readGateways(reads: Reads, org: string, workspace: string): Promise<SnapshotGateway[]> {
    const rows = await reads.gateway.findMany({
      where: { org, workspace, revokedAt: null },
      select: { id: true, environment: true, labels: true, lkgHash: true, highestGeneration: true },
    })
    const gateways = new Map(
      rows.map((row) => [
        row.id,
        {
          id: row.id,
          environment: row.environment,
          labels: JSON.parse(row.labels) as Record<string, string>,
          lkgHash: row.lkgHash,
          highestGeneration: row.highestGeneration,
          holds: new Map<string, Hold[]>(),
          proven: new Map<string, { subHash: string; entry: string }>(),
        },
      ]),
    )
    // Only where something is held back does it matter what ran there before.
    const held = await reads.$queryRaw<{ gatewayId: string; serverUid: string; subHash: string; entry: string | null }[]>`
      SELECT h."gatewayId", h."serverUid", h."subHash", r."entry" FROM "server_holds" h
        JOIN "gateways" g ON g."id" = h."gatewayId"
        LEFT JOIN "server_revisions" r ON r."serverUid" = h."serverUid" AND r."subHash" = h."subHash"
       WHERE g."org" = ${org} AND g."workspace" = ${workspace}`
    for (const { gatewayId, serverUid, subHash, entry } of held) {
      const holds = gateways.get(gatewayId)?.holds
      holds?.set(serverUid, [...(holds.get(serverUid) ?? []), { subHash, entry: entry ?? undefined }])
    }
    const proven = await reads.$queryRaw<{ gatewayId: string; serverUid: string; subHash: string; entry: string }[]>`
      SELECT DISTINCT s."gatewayId", r."serverUid", r."subHash", r."entry" FROM "server_holds" h
        JOIN "gateways" g ON g."id" = h."gatewayId"
        JOIN "gateway_servers" s ON s."gatewayId" = h."gatewayId" AND s."serverUid" = h."serverUid"
        JOIN "server_revisions" r ON r."serverUid" = s."serverUid" AND r."subHash" = s."provenSubHash"
       WHERE g."org" = ${org} AND g."workspace" = ${workspace}`
    for (const { gatewayId, serverUid, subHash, entry } of proven) gateways.get(gatewayId)?.proven.set(serverUid, { subHash, entry })
    return [...gateways.values()]
  }

  /** The desired config of every gateway. */
  async function latest(): Promise<Assignment[]> {
    const tops = await read.assignment.groupBy({ by: ['gatewayId'], _max: { generation: true } })
    return await assignmentsAt(tops.map((top) => ({ gatewayId: top.gatewayId, generation: top._max.generation ?? 0 })))
  }

  /** The last config that each gateway applied. */
  async function lastApplied(): Promise<Assignment[]> {
    const tops = await read.assignment.groupBy({ by: ['gatewayId'], where: { state: 'applied' }, _max: { generation: true } })
    return await assignmentsAt(tops.map((top) => ({ gatewayId: top.gatewayId, generation: top._max.generation ?? 0 })))
  }

  async function assignmentsAt(keys: { gatewayId: string; generation: number }[]): Promise<Assignment[]> {
    const found: Assignment[] = []
    for (let from = 0; from < keys.length; from += 200) {
      const rows = await read.assignment.findMany({ where: { OR: keys.slice(from, from + 200) } })
      found.push(...rows.map(assignmentOf))
    }
    return found
  }

  /** Newest first. */
  async function history(gatewayId: string): Promise<Assignment[]> {
    const rows = await read.assignment.findMany({ where: { gatewayId }, orderBy: { generation: 'desc' }, take: historyLength })
    return rows.map(assignmentOf)
  }

  async function find(gatewayId: string, generation: number): Promise<Assignment | null> {
    const row = await read.assignment.findUnique({ where: { gatewayId_generation: { gatewayId, generation } } })
    return row && assignmentOf(row)
  }

  async function bytes(hash: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const row = await read.config.findUnique({ where: { hash } })
    return row && new Uint8Array(row.bytes)
  }

  /** Which server each compiled entry belongs to, by sub-hash. */
  async function uidsOf(subHashes: string[]): Promise<Map<string, string>> {
    const rows = await read.serverRevision.findMany({
      where: { subHash: { in: subHashes } },
      select: { subHash: true, serverUid: true },
      orderBy: { createdAt: 'asc' },
    })
    return new Map(rows.map((row) => [row.subHash, row.serverUid]))
  }

  /** Gateways that refused one of the hashes before, as `gateway/hash`: there it stays refused unless it is forced. */
  async function failedBefore(hashes: string[]): Promise<Set<string>> {
    const rows = await read.assignment.findMany({
      where: { configHash: { in: hashes }, state: { in: ['rejected', 'rolled_back'] } },
      select: { gatewayId: true, configHash: true },
    })
    return new Set(rows.map((row) => `${row.gatewayId}/${row.configHash}`))
  }

  /** New generations with the documents and server revisions behind them; all or nothing. */
  async function insert(
    tx: Tx,
    {
      assignments,
      documents,
      revisions,
    }: {
      assignments: Assignment[]
      documents: Map<string, Uint8Array<ArrayBuffer>>
      revisions: { serverUid: string; subHash: string; entry: string }[]
    },
    createdAt: string,
  ): Promise<void> {
    for (const [hash, content] of documents)
      await tx.config.upsert({ where: { hash }, create: { hash, bytes: content, createdAt }, update: {} })
    for (const { serverUid, subHash, entry } of revisions)
      await tx.serverRevision.upsert({
        where: { serverUid_subHash: { serverUid, subHash } },
        create: { serverUid, subHash, entry, createdAt },
        update: {},
      })
    await tx.assignment.createMany({ data: assignments })
  }

  async function setState(
    tx: Tx,
    {
      gatewayId,
      generation,
      state,
      reason,
      message,
      stateAt,
    }: Pick<Assignment, 'gatewayId' | 'generation' | 'state' | 'reason' | 'message' | 'stateAt'>,
  ): Promise<void> {
    await tx.assignment.updateMany({ where: { gatewayId, generation }, data: { state, reason, message, stateAt } })
  }

  /** The revisions that passed their probation on a gateway. */
  async function setProven(
    tx: Tx,
    gatewayId: string,
    entries: { server: string; serverUid: string; subHash: string }[],
    updatedAt: string,
  ): Promise<void> {
    const rows = new Map((await tx.gatewayServer.findMany({ where: { gatewayId } })).map((row) => [row.server, row]))
    for (const { server, serverUid, subHash } of entries) {
      const row = rows.get(server)
      if (row?.provenSubHash === subHash && row.serverUid === serverUid) continue
      await tx.gatewayServer.upsert({
        where: { gatewayId_server: { gatewayId, server } },
        create: { gatewayId, server, serverUid, provenSubHash: subHash, status: '{}', updatedAt },
        update: { serverUid, provenSubHash: subHash },
      })
    }
  }

  async function listHolds(): Promise<HoldRow[]> {
    return (await read.serverHold.findMany()).map((row) => ({ ...row, evidence: JSON.parse(row.evidence ?? '{}') as Evidence }))
  }

  async function insertHolds(tx: Tx, rows: HoldRow[]): Promise<void> {
    for (const row of rows) {
      const { gatewayId, serverUid, subHash } = row
      await tx.serverHold.upsert({
        where: { gatewayId_serverUid_subHash: { gatewayId, serverUid, subHash } },
        create: { ...row, evidence: JSON.stringify(row.evidence) },
        update: {},
      })
    }
  }

  async function deleteHolds(tx: Tx, keys: { gatewayId: string; serverUid: string }[]): Promise<void> {
    for (const { gatewayId, serverUid } of keys) await tx.serverHold.deleteMany({ where: { gatewayId, serverUid } })
  }

  async function deleteHoldsOfServer(tx: Tx, serverUid: string): Promise<number> {
    return (await tx.serverHold.deleteMany({ where: { serverUid } })).count
  }

  async function deleteAssignments(tx: Tx, keys: Pick<Assignment, 'gatewayId' | 'generation'>[]): Promise<void> {
    for (const { gatewayId, generation } of keys) await tx.assignment.deleteMany({ where: { gatewayId, generation } })
  }

  /** Forgets what no history needs any more, but never what a gateway runs or may fall back to. */
  async function prune(tx: Tx, newest: { gatewayId: string; generation: number }[]): Promise<void> {
    for (const { gatewayId, generation } of newest) {
      const gateway = await tx.gateway.findUnique({ where: { id: gatewayId }, select: { appliedHash: true, lkgHash: true } })
      const inUse = [gateway?.appliedHash, gateway?.lkgHash].filter((hash) => typeof hash === 'string')
      await tx.assignment.deleteMany({
        where: { gatewayId, generation: { lte: generation - historyLength }, configHash: { notIn: inUse } },
      })
    }
    await tx.$executeRaw`
      DELETE FROM "configs"
       WHERE NOT EXISTS (SELECT 1 FROM "assignments" a WHERE a."configHash" = "configs"."hash")
         AND NOT EXISTS (SELECT 1 FROM "gateways" g WHERE g."appliedHash" = "configs"."hash" OR g."lkgHash" = "configs"."hash")`
  }
}

/** One spec that another version wrote, or a hand in the database, must not stop the others of its workspace. */
function readSpec(text: string, specVersion: number): { spec: ServerSpec } | { error: string } {
  try {
    const parsed = ServerSpec.safeParse(serverKind.upgrade(JSON.parse(text), specVersion))
    if (parsed.success) return { spec: parsed.data }
    return { error: parsed.error.issues.map(({ path, message }) => `/${['spec', ...path].join('/')} ${message}`).join('; ') }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

type Stored = Omit<Assignment, 'state' | 'reason' | 'signedHeader' | 'signature'> & {
  state: string
  reason: string | null
  signedHeader: Uint8Array
  signature: Uint8Array
}

function assignmentOf(row: Stored): Assignment {
  return {
    ...row,
    signedHeader: new Uint8Array(row.signedHeader),
    signature: new Uint8Array(row.signature),
    state: row.state as AssignmentState,
    reason: row.reason as ConfigFailure | null,
  }
}
