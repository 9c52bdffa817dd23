import { ServerSpec, serverKind } from '@mcpg/proto/kinds/server'
import type { ConfigFailure, ConfigState } from '@mcpg/proto/status'
import type { Db, Reads, Tx } from '../db/db.ts'
import type { ServerReport } from '../gateways/reports.ts'
import { turn } from '../turns.ts'
import type { Hold, Snapshot, SnapshotGateway, SnapshotServer, UnreadableServer } from './compile.ts'
import type { Evidence } from './failing.ts'
import { projectReader } from './project-reader.ts'
import { areCurrent, readSecretVersions, versionsOf, type SecretVersions } from './secret-versions.ts'

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
  /** `ConfigCause` as JSON. */
  cause: string | null
}

/** Somebody's decision that a gateway stays with the config of an older generation. */
export type PinRow = { gatewayId: string; generation: number; configHash: string; since: string; by: string }

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

/** Rows of a few short columns, and rows with a spec, that are read in one go: some 2 ms each. */
const portion = 200
const wholeRows = 40

/** Configs kept per gateway. */
export const historyLength = 50

export type ConfigStore = ReturnType<typeof configStore>

export function configStore({ read, snapshot }: Pick<Db, 'read' | 'snapshot'>) {
  const projects = projectReader()
  const servers = new Map<string, Map<string, SnapshotServer>>() // as of the last snapshot, by scope and uid
  return {
    readSnapshot,
    latest,
    lastApplied,
    numbersOf,
    history,
    generationsOf,
    find,
    bytes,
    uidsOf,
    failedBefore,
    lastAction,
    listHolds,
    deleteHoldsOfServer,
    listPins,
    putPin,
    deletePin,
    insertAssignment,
  }

  /** Everything that the documents of a workspace depend on, as of one moment. Only specs that changed since the last time are read. */
  async function readSnapshot(org: string, workspace: string): Promise<StoredSnapshot> {
    return await snapshot(async (reads) => {
      const scope = `${org}/${workspace}`
      const counter = await reads.scope.findUnique({ where: { scope } })
      const versions = await readSecretVersions(reads, scope)
      const before = servers.get(scope)
      const now = new Map<string, SnapshotServer>()
      const changed: string[] = []
      for await (const { uid, generation, restarts, upgrades } of revisions(reads, scope)) {
        const known = before?.get(uid)
        const isSame = known?.generation === generation && known.restarts === restarts && known.upgrades === upgrades
        if (isSame && areCurrent(known.secrets, versions)) now.set(uid, known)
        else changed.push(uid)
      }
      const unreadable = await readSpecs(reads, changed, versions, now)
      servers.set(scope, now)
      const gateways = await readGateways(reads, org, workspace)
      const served = await projects.read(reads, scope)
      return { org, workspace, changeSeq: counter?.changeSeq ?? 0, servers: [...now.values()], unreadable, ...served, gateways }
    })
  }

  /** What tells whether the entry of a server is another one; a new uid is another server. */
  async function* revisions(reads: Reads, scope: string) {
    const controls = new Map((await reads.serverControl.findMany()).map((row) => [row.serverUid, row]))
    const select = { uid: true, name: true, generation: true }
    for (let after = ''; ;) {
      const where = { scope, kind: 'Server', name: { gt: after } }
      const rows = await reads.resource.findMany({ where, select, orderBy: { name: 'asc' }, take: portion })
      for (const { uid, generation } of rows) {
        const { restarts = 0, upgrades = 0 } = controls.get(uid) ?? {}
        yield { uid, generation, restarts, upgrades }
      }
      if (rows.length < portion) return
      after = rows.at(-1)!.name
      await turn()
    }
  }

  /** Puts those that can be read into `into` and answers the others. */
  async function readSpecs(
    reads: Reads,
    uids: string[],
    versions: SecretVersions,
    into: Map<string, SnapshotServer>,
  ): Promise<StoredSnapshot['unreadable']> {
    const unreadable: StoredSnapshot['unreadable'] = []
    for (let from = 0; from < uids.length; from += wholeRows) {
      const part = uids.slice(from, from + wholeRows)
      const rows = await reads.resource.findMany({ where: { uid: { in: part } } })
      const controls = new Map(
        (await reads.serverControl.findMany({ where: { serverUid: { in: part } } })).map((row) => [row.serverUid, row]),
      )
      await turn()
      for (const { uid, name, generation, spec, specVersion } of rows) {
        const read = readSpec(spec, specVersion, versions)
        const { restarts = 0, upgrades = 0 } = controls.get(uid) ?? {}
        if ('spec' in read) into.set(uid, { uid, name, generation, ...read, restarts, upgrades })
        else unreadable.push({ uid, name, error: read.error })
        await turn()
      }
    }
    return unreadable
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
          lastRan: new Map<string, { subHash: string; entry: string }>(),
        },
      ]),
    )
    const held = await reads.$queryRaw<{ gatewayId: string; serverUid: string; server: string; subHash: string; entry: string | null }[]>`
      SELECT h."gatewayId", h."serverUid", h."server", h."subHash", r."entry" FROM "server_holds" h
        JOIN "gateways" g ON g."id" = h."gatewayId"
        LEFT JOIN "server_revisions" r ON r."serverUid" = h."serverUid" AND r."subHash" = h."subHash"
       WHERE g."org" = ${org} AND g."workspace" = ${workspace}`
    for (const { gatewayId, serverUid, subHash, entry } of held) {
      const holds = gateways.get(gatewayId)?.holds
      holds?.set(serverUid, [...(holds.get(serverUid) ?? []), { subHash, entry: entry ?? undefined }])
    }
    await readLastRan(reads, held, gateways)
    return [...gateways.values()]
  }

  /** Only where something is held back does it matter what ran there before; by key, as the whole table has a row per server and gateway. */
  async function readLastRan(
    reads: Reads,
    held: { gatewayId: string; serverUid: string; server: string }[],
    gateways: ReadonlyMap<
      string,
      { holds: ReadonlyMap<string, readonly Hold[]>; lastRan: Map<string, { subHash: string; entry: string }> }
    >,
  ): Promise<void> {
    for (let from = 0; from < held.length; from += wholeRows) {
      const part = held.slice(from, from + wholeRows)
      const select = { gatewayId: true, server: true, serverUid: true, provenSubHash: true, status: true }
      const rows = await reads.gatewayServer.findMany({
        where: { OR: part.map(({ gatewayId, server }) => ({ gatewayId, server })) },
        select,
      })
      const reported = new Map(rows.map((row) => [`${row.gatewayId}/${row.server}`, row]))
      const ran = part.flatMap(({ gatewayId, serverUid, server }) => {
        const row = reported.get(`${gatewayId}/${server}`)
        const refused = new Set(
          gateways
            .get(gatewayId)
            ?.holds.get(serverUid)
            ?.map((hold) => hold.subHash),
        )
        const proven = row?.serverUid === serverUid ? row.provenSubHash : null
        return [proven, row ? readySubHash(row.status) : null].flatMap((subHash) =>
          subHash === null || refused.has(subHash) ? [] : [{ gatewayId, serverUid, subHash }],
        )
      })
      if (ran.length === 0) continue
      const where = { OR: ran.map(({ serverUid, subHash }) => ({ serverUid, subHash })) }
      const revisions = new Map((await reads.serverRevision.findMany({ where })).map((row) => [`${row.serverUid}/${row.subHash}`, row]))
      for (const { gatewayId, serverUid, subHash } of ran) {
        const revision = revisions.get(`${serverUid}/${subHash}`)
        const lastRan = gateways.get(gatewayId)?.lastRan
        const other = revisions.get(`${serverUid}/${lastRan?.get(serverUid)?.subHash}`)
        // What is ready may be older than what was proven, when a gateway has lost its newest config.
        if (revision && (!other || revision.createdAt > other.createdAt)) lastRan?.set(serverUid, { subHash, entry: revision.entry })
      }
      await turn()
    }
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

  /** The newest generation of each config that gateways say they run, or ran last. */
  async function numbersOf(): Promise<{ gatewayId: string; configHash: string; generation: number }[]> {
    const rows = await read.$queryRaw<{ gatewayId: string; configHash: string; generation: bigint | number }[]>`
      SELECT a."gatewayId", a."configHash", MAX(a."generation") AS "generation" FROM "assignments" a
        JOIN "gateways" g ON g."id" = a."gatewayId" AND (g."appliedHash" = a."configHash" OR g."lkgHash" = a."configHash")
       GROUP BY a."gatewayId", a."configHash"`
    return rows.map((row) => ({ ...row, generation: Number(row.generation) }))
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

  /** Numbers of the generations that are kept, newest first. */
  async function generationsOf(gatewayId: string): Promise<number[]> {
    const rows = await read.assignment.findMany({ where: { gatewayId }, orderBy: { generation: 'desc' }, select: { generation: true } })
    return rows.map((row) => row.generation)
  }

  async function find(gatewayId: string, generation: number): Promise<Assignment | null> {
    const row = await read.assignment.findUnique({ where: { gatewayId_generation: { gatewayId, generation } } })
    return row && assignmentOf(row)
  }

  async function bytes(hash: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const row = await read.config.findUnique({ where: { hash } })
    return row && new Uint8Array(row.bytes)
  }

  /** Which server of a workspace each compiled entry belongs to, by sub-hash; another one may have had the same, here or elsewhere. */
  async function uidsOf(scope: string, subHashes: string[]): Promise<Map<string, string>> {
    const uids = new Map<string, string>()
    for (let from = 0; from < subHashes.length; from += portion) {
      const rows = await read.serverRevision.findMany({
        where: { subHash: { in: subHashes.slice(from, from + portion) } },
        select: { subHash: true, serverUid: true },
        orderBy: { createdAt: 'asc' },
      })
      const here = await read.resource.findMany({
        where: { scope, kind: 'Server', uid: { in: rows.map((row) => row.serverUid) } },
        select: { uid: true },
      })
      const known = new Set(here.map(({ uid }) => uid))
      for (const row of rows) if (known.has(row.serverUid)) uids.set(row.subHash, row.serverUid)
      await turn()
    }
    return uids
  }

  /** Gateways that refused one of the hashes before, as `gateway/hash`: there it stays refused unless it is forced. */
  async function failedBefore(hashes: string[]): Promise<Set<string>> {
    const rows = await read.assignment.findMany({
      where: { configHash: { in: hashes }, state: { in: ['rejected', 'rolled_back'] } },
      select: { gatewayId: true, configHash: true },
    })
    return new Set(rows.map((row) => `${row.gatewayId}/${row.configHash}`))
  }

  async function listHolds(): Promise<HoldRow[]> {
    return (await read.serverHold.findMany()).map((row) => ({ ...row, evidence: JSON.parse(row.evidence ?? '{}') as Evidence }))
  }

  async function deleteHoldsOfServer(tx: Tx, serverUid: string): Promise<number> {
    return (await tx.serverHold.deleteMany({ where: { serverUid } })).count
  }

  /** The newest row of the audit trail about an object. */
  async function lastAction(
    object: { org: string; workspace: string; kind: string; name: string },
    since: string,
  ): Promise<{ action: string; actor: string; at: string } | null> {
    const select = { action: true, actor: true, at: true }
    return await read.audit.findFirst({ where: { ...object, at: { gte: since } }, orderBy: { at: 'desc' }, select })
  }

  async function listPins(): Promise<PinRow[]> {
    return await read.gatewayPin.findMany()
  }

  async function putPin(tx: Tx, { gatewayId, ...pin }: PinRow): Promise<void> {
    await tx.gatewayPin.upsert({ where: { gatewayId }, create: { gatewayId, ...pin }, update: pin })
  }

  async function deletePin(tx: Tx, gatewayId: string): Promise<void> {
    await tx.gatewayPin.deleteMany({ where: { gatewayId } })
  }

  async function insertAssignment(tx: Tx, row: Assignment): Promise<void> {
    await tx.assignment.create({ data: row })
  }
}

/** The revision that a gateway last reported as ready. */
function readySubHash(status: string): string | null {
  const { state, subHash } = JSON.parse(status) as Partial<Pick<ServerReport, 'state' | 'subHash'>>
  return state === 'ready' && subHash ? subHash : null
}

/** One spec that another version wrote, or a hand in the database, must not stop the others of its workspace. */
function readSpec(
  text: string,
  specVersion: number,
  versions: SecretVersions,
): Pick<SnapshotServer, 'spec' | 'secrets'> | { error: string } {
  try {
    const parsed = ServerSpec.safeParse(serverKind.upgrade(JSON.parse(text), specVersion))
    if (parsed.success) {
      const named = versionsOf(parsed.data, versions)
      return 'error' in named ? named : { spec: parsed.data, ...named }
    }
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
