import type { EnrollRequest } from '@mcpg/proto/gen/enrollment'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db, Tx } from '../db/db.ts'
import type { TellOfGateway } from '../events/gateway-events.ts'
import type { Live } from './live.ts'
import type { Registry } from './registry.ts'
import type { GatewayRow, GatewayStore } from './store.ts'
import type { Writes } from './writes.ts'

export type GatewayScope = { org: string; workspace: string; environment?: string | undefined }

/** What an enrollment gives a gateway: place, labels that select, and perhaps a name. */
export type EnrollmentGrant = {
  id: string
  org: string
  workspace: string
  environment: string
  gatewayName: string | null
  labels: Record<string, string>
  /** Of a managed gateway: the operation that it was made for. */
  operationId: string | null
}

/** Why a gateway's credential counts no more. */
export type GatewayEnding = 'revoked' | 'locked' | 'deleted'

export type Gateways = ReturnType<typeof gatewayService>

/** Gateways as objects: enrolled, labeled, revoked, deleted. What they say of themselves is in `live.ts`. */
export function gatewayService({
  db,
  store,
  registry,
  live,
  writes,
  audit,
  changes,
  happened,
  clock,
  present,
}: {
  db: Pick<Db, 'write'>
  store: GatewayStore
  registry: Registry
  live: Live
  writes: Writes
  audit: Audit
  changes: Changes
  happened: TellOfGateway
  clock: Clock
  /** The gateway as an object, for those who watch. */
  present: (row: GatewayRow) => Resource
}) {
  const endings = new Set<(gatewayId: string, why: GatewayEnding) => void>()
  return {
    load,
    stop,
    insertEnrolled,
    renewCredential,
    enrolled,
    get,
    namesOf,
    setLabels,
    revoke,
    lock,
    remove,
    succeed,
    letGo,
    onEnding: (tell: (id: string, why: GatewayEnding) => void) => void endings.add(tell),
  }

  async function load(): Promise<void> {
    await registry.load()
    await live.restore()
  }

  async function stop(): Promise<void> {
    live.stop()
    await writes.flush()
  }

  /** The row of a new gateway; its name. Throws conflict when uid or name are taken, so that the caller's transaction gives the token back. */
  async function insertEnrolled(
    tx: Tx,
    {
      enrollment,
      gatewayId,
      request,
      spkiSha256,
      bearerSha256,
      now,
    }: {
      enrollment: EnrollmentGrant
      gatewayId: string
      request: EnrollRequest
      spkiSha256: string
      bearerSha256: string | null
      now: string
    },
  ): Promise<string> {
    const { org, workspace, environment, gatewayName, labels, operationId } = enrollment
    const { instanceUid } = request
    const name = gatewayName ?? nameOfUid(instanceUid)
    const sameUid = await tx.gateway.findUnique({ where: { org_workspace_instanceUid: { org, workspace, instanceUid } } })
    if (sameUid) throw uidInUse(instanceUid, sameUid.name)
    const sameName = await tx.gateway.findUnique({ where: { org_workspace_environment_name: { org, workspace, environment, name } } })
    if (sameName && gatewayName === null) throw uidInUse(instanceUid, name)
    // A managed gateway that moves: it gets its name when the installation before it is gone, and is told it already.
    const succeeds = sameName?.origin === 'managed' && operationId !== null
    if (sameName && !succeeds)
      throw new McpgError('conflict', 'gateway_name_in_use', `There is a gateway ${name} in ${environment} already.`, {
        hint: `mcpg-ctl delete gateway/${name}`,
      })
    await store.insert(tx, {
      id: gatewayId,
      org,
      workspace,
      environment,
      name: succeeds ? instanceUid : name,
      instanceUid,
      origin: operationId === null ? 'enrolled' : 'managed',
      labels,
      spkiSha256,
      sealingPublicKey: new Uint8Array(request.sealingPublicKey),
      credentialSequence: 1,
      bearerSha256,
      enrollmentId: enrollment.id,
      enrolledAt: now,
      updatedAt: now,
      revokedAt: null,
      lockedAt: null,
      connection: 'never_seen',
      connectionChangedAt: now,
      lastSeenAt: null,
      description: null,
      descriptionHash: null,
      sessionEpoch: 0,
      bootId: null,
      appliedHash: null,
      lkgHash: null,
      highestGeneration: 0,
    })
    return name
  }

  /** A new credential for a gateway whose first answer was lost; the earlier one is void. Null when the gateway is gone. */
  async function renewCredential(tx: Tx, { gatewayId, bearerSha256 }: { gatewayId: string; bearerSha256: string | null }) {
    return await store.setCredential(tx, gatewayId, bearerSha256)
  }

  /** Lets a gateway in whose row has just been committed. */
  async function enrolled(gatewayId: string): Promise<void> {
    const row = await store.find(gatewayId)
    if (!row) return
    const isNew = registry.get(gatewayId) === undefined
    registry.put(row)
    if (!isNew) return
    live.presence.set(gatewayId, 'never_seen')
    changes.publish({ type: 'ADDED', scope: `${row.org}/${row.workspace}`, kind: 'Gateway', name: row.name })
    happened(row.id, { reason: 'Enrolled', warning: false, message: `enrolled as installation ${row.instanceUid}` })
  }

  /** By name, instance uid or id. */
  function get(scope: GatewayScope, word: string): GatewayRow {
    const row = registry.find(scope, word)
    if (row) return row
    throw unknownGateway(word, scope.environment)
  }

  /** Names by id, also of deleted gateways as long as something is known of them; else the id. */
  async function namesOf(ids: string[]): Promise<Map<string, string>> {
    const names = new Map(ids.map((id) => [id, registry.get(id)?.name ?? id]))
    const gone = ids.filter((id) => !registry.get(id))
    if (gone.length > 0) for (const { id, name } of await store.namesOfDeleted(gone)) names.set(id, name)
    return names
  }

  async function setLabels(caller: Caller, scope: GatewayScope, word: string, labels: Record<string, string>): Promise<GatewayRow> {
    const row = get(scope, word)
    const updatedAt = isoNow()
    await db.write(async (tx) => {
      await store.setLabels(tx, row.id, labels, updatedAt)
      await audit.record(tx, caller, 'gateway.label', targetOf(row))
    })
    Object.assign(row, { labels, updatedAt })
    changes.publish({ type: 'MODIFIED', scope: `${row.org}/${row.workspace}`, kind: 'Gateway', name: row.name })
    return row
  }

  /** Voids the credential and ends the stream; the gateway stays listed. Repeating it changes nothing. */
  async function revoke(caller: Caller, scope: GatewayScope, word: string): Promise<void> {
    const row = get(scope, word)
    if (row.revokedAt !== null) return
    const now = isoNow()
    await db.write(async (tx) => {
      await store.revoke(tx, row.id, now)
      await audit.record(tx, caller, 'gateway.revoke', targetOf(row))
    })
    // Order matters: the credential is void before the stream ends, so a fast reconnect is refused.
    registry.put(Object.assign(row, { revokedAt: now, updatedAt: now }))
    for (const tell of endings) tell(row.id, 'revoked')
    live.presence.set(row.id, 'revoked')
  }

  /** Its key was seen in two places: nobody gets in with it any more, and only deleting and enrolling again helps. */
  async function lock(caller: Caller, gatewayId: string, detail: Record<string, unknown>): Promise<void> {
    const row = registry.get(gatewayId)
    if (!row || row.lockedAt !== null) return
    const now = isoNow()
    await db.write(async (tx) => {
      await store.lock(tx, row.id, now)
      await audit.record(tx, caller, 'gateway.lock', { ...targetOf(row), detail: { alert: true, ...detail } })
    })
    registry.put(Object.assign(row, { lockedAt: now, updatedAt: now }))
    for (const tell of endings) tell(row.id, 'locked')
    changes.status(`${row.org}/${row.workspace}`, 'Gateway', row.name)
    happened(row.id, {
      reason: 'CredentialCloneSuspected',
      warning: true,
      message: 'its key was used in two places: the identity is locked; delete the gateway and enroll it again',
    })
  }

  /** Deletes an enrolled gateway at once; its agent stops its servers and erases its credentials when it hears of it. */
  async function remove(caller: Caller, scope: GatewayScope, word: string): Promise<void> {
    const row = get(scope, word)
    // What waits about it would otherwise be written after its rows are gone.
    await writes.flush()
    await db.write(async (tx) => {
      await store.bury(tx, row, isoNow())
      await audit.record(tx, caller, 'gateway.delete', targetOf(row))
    })
    const object = present(row)
    // What it ran is gone before it is; the rows went with its own.
    live.forget(row.id)
    registry.bury(row)
    for (const tell of endings) tell(row.id, 'deleted')
    changes.publish({ type: 'DELETED', scope: `${row.org}/${row.workspace}`, kind: 'Gateway', name: row.name, object })
  }

  /** Gives a gateway the name of the one that it takes the place of, and its labels where these are known. Again it changes nothing. */
  async function succeed(caller: Caller, id: string, { name, labels }: { name: string; labels?: Record<string, string> }): Promise<void> {
    const row = registry.get(id)
    if (!row || row.name === name) return
    const object = present(row)
    const changed = { name, labels: labels ?? row.labels, updatedAt: isoNow() }
    await db.write(async (tx) => {
      await store.succeed(tx, id, changed)
      await audit.record(tx, caller, 'gateway.succeed', { ...targetOf({ ...row, name }), detail: { instanceUid: row.instanceUid } })
    })
    const scope = `${row.org}/${row.workspace}`
    changes.publish({ type: 'DELETED', scope, kind: 'Gateway', name: row.name, object })
    registry.put(Object.assign(row, changed))
    changes.publish({ type: 'ADDED', scope, kind: 'Gateway', name })
  }

  /** Nobody here runs it any more: from now on it is a gateway as one that enrolled by itself. Again it changes nothing. */
  async function letGo(caller: Caller, id: string): Promise<void> {
    const row = registry.get(id)
    if (!row || row.origin === 'enrolled') return
    const changed = { origin: 'enrolled', updatedAt: isoNow() } as const
    await db.write(async (tx) => {
      await store.setOrigin(tx, id, changed)
      await audit.record(tx, caller, 'gateway.let_go', targetOf(row))
    })
    registry.put(Object.assign(row, changed))
    changes.publish({ type: 'MODIFIED', scope: `${row.org}/${row.workspace}`, kind: 'Gateway', name: row.name })
  }

  function isoNow(): string {
    return new Date(clock.now()).toISOString()
  }
}

const targetOf = ({ org, workspace, name, id }: GatewayRow) => ({ org, workspace, kind: 'Gateway', name, uid: id })

/** A name neither begins nor ends with a dash; an instance uid may. */
const nameOfUid = (uid: string): string => uid.replace(/^-+|-+$/g, '') || 'gateway'

function uidInUse(instanceUid: string, name: string): McpgError {
  return new McpgError(
    'conflict',
    'instance_uid_in_use',
    `The installation id ${instanceUid} belongs to the gateway ${name} of this workspace.`,
    {
      hint: `give another one with --instance-uid, or mcpg-ctl delete gateway/${name}`,
    },
  )
}

export function unknownGateway(word: string, environment?: string): McpgError {
  return new McpgError('not_found', 'gateway_unknown', `There is no gateway ${word}${environment ? ` in ${environment}` : ''}.`, {
    hint: 'mcpg-ctl get gateways',
  })
}
