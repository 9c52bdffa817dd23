import { fullJitter } from '@mcpg/core/backoff'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { ConfigFailureReason, type ConfigStatus } from '@mcpg/proto/gen/types'
import { configFailureWords, configStateWords } from '@mcpg/proto/status'
import type { Change, Changes } from '../changes/changes.ts'
import type { Db } from '../db/db.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Writes } from '../gateways/writes.ts'
import type { Keys } from '../keys/keys.ts'
import { turn } from '../turns.ts'
import { compile, liftedHolds, type CompiledGateway, type Document, type DocumentEntry, type HeldBack, type Snapshot } from './compile.ts'
import { debouncer } from './debounce.ts'
import { entryIn, type Documents } from './documents.ts'
import { refusedServers, type Evidence } from './failing.ts'
import { configSigner, type Desired } from './signing.ts'
import { storageRetries } from './storage-retries.ts'
import { historyLength, type Assignment, type ConfigStore, type HoldRow, type StoredSnapshot } from './store.ts'

export type Configs = ReturnType<typeof configService>

/** Where one gateway stands; `error` says why no newer config could be compiled for it. */
export type Standing = {
  desired: Desired | undefined
  applied: { generation: number; hash: string; at: string } | undefined
  heldBack: (HeldBack & { reason: string; message: string; since: string; evidence: Evidence })[]
  error: string | undefined
}

/**
 * Turns what is wanted into signed configs: a change of a server, a gateway or a hold leads to a compile of its workspace, a new hash
 * to a new generation. What gateways answer is kept with the generation, and a server revision that one of them refused is held back
 * there, so that everybody else's changes flow.
 */
export function configService({
  db,
  store,
  documents,
  registry,
  writes,
  keys,
  changes,
  clock,
  timers,
  log,
}: {
  db: Pick<Db, 'write' | 'recordConfigs' | 'insertHolds'>
  store: ConfigStore
  documents: Documents
  registry: Pick<Registry, 'get' | 'all'>
  writes: Pick<Writes, 'put' | 'committed'>
  keys: Pick<Keys, 'sign'>
  changes: Changes
  clock: Clock
  timers: Timers
  log: Log
}) {
  const desired = new Map<string, Desired>()
  const applied = new Map<string, { generation: number; hash: string; at: string }>()
  const heldBack = new Map<string, HeldBack[]>()
  const errors = new Map<string, string>()
  const holds = new Map<string, HoldRow>() // by gateway, server and sub-hash
  const specErrors = new Map<string, string>() // of servers, by uid
  const compiledGenerations = new Map<string, number>() // of servers, by uid
  const listeners = new Set<(gatewayIds: string[]) => void>()
  const due = debouncer({
    clock,
    delayMs: timers.compileDebounce,
    maxWaitMs: timers.compileMaxWait,
    run: compileWorkspace,
    onError: retryLater,
  })
  const sign = configSigner({ documents, keys, clock, timers })
  const retries = storageRetries({ clock, delayMs: timers.storageRetry, retry: offerAgain })
  let attempts = 0
  // Generations are numbered by one writer at a time.
  let tail: Promise<unknown> = Promise.resolve()
  let stopListening = () => {}
  return {
    load,
    stop,
    desired: (gatewayId: string) => desired.get(gatewayId),
    standing,
    report,
    /** For a gateway that knows a higher generation than the database, which is older than what the gateway remembers. */
    raiseAbove: (gatewayId: string, reported: number) => numberAnew(gatewayId, reported, 'it knows a newer generation than the database'),
    history,
    observedGeneration: (serverUid: string) => compiledGenerations.get(serverUid) ?? 0,
    /** Why the stored spec of a server cannot be read; gateways keep what they have of it. */
    specError: (serverUid: string) => specErrors.get(serverUid),
    markOffered,
    onAssigned: (listener: (gatewayIds: string[]) => void) => void listeners.add(listener),
  }

  async function load(): Promise<void> {
    for (const row of await store.latest()) {
      const document = await documents.load(row.configHash)
      if (document) desired.set(row.gatewayId, { ...row, document })
      if (row.state === 'rejected' && row.reason === 'STORAGE') retries.schedule(row.gatewayId, row.generation)
    }
    for (const row of await store.lastApplied())
      applied.set(row.gatewayId, { generation: row.generation, hash: row.configHash, at: row.stateAt ?? row.createdAt })
    for (const row of await store.listHolds()) holds.set(holdKey(row), row)
    stopListening = changes.onChange(hear)
    // What changed while nobody compiled; equal hashes cost nothing.
    for (const { org, workspace } of registry.all()) due.touch(`${org}/${workspace}`)
  }

  async function stop(): Promise<void> {
    stopListening()
    retries.stop()
    await due.stop()
    await tail
  }

  function hear({ kind, type, scope, name, detail, object }: Change): void {
    // A restart raises counters beside the object, so it is told as a change of status.
    if (type === 'STATUS' && detail?.['restart'] !== true) return
    if (kind === 'Server' && detail?.['retry'] === true)
      forgetHolds(scope, name).catch((error: unknown) => log.error({ err: error, server: name }, 'a hold could not be lifted'))
    else if (kind === 'Server' || kind === 'Gateway') due.touch(scope)
    if (kind === 'Gateway' && type === 'DELETED') forgetMissing()
    if (kind === 'Server' && type === 'DELETED' && object) specErrors.delete(object.metadata.uid)
    if (kind === 'Server' && type === 'DELETED')
      for (const [key, row] of holds) if (row.serverUid === object?.metadata.uid) holds.delete(key)
  }

  /** `server restart --retry`: whatever was refused is tried again. */
  async function forgetHolds(scope: string, server: string): Promise<void> {
    const [org, workspace] = scope.split('/')
    const rows = [...holds.values()].filter(
      (row) => row.server === server && registry.get(row.gatewayId)?.org === org && registry.get(row.gatewayId)?.workspace === workspace,
    )
    const uids = new Set(rows.map((row) => row.serverUid))
    await db.write(async (tx) => {
      for (const uid of uids) await store.deleteHoldsOfServer(tx, uid)
    })
    for (const row of rows) holds.delete(holdKey(row))
    due.touch(scope)
  }

  function forgetMissing(): void {
    for (const id of desired.keys())
      if (!registry.get(id)) {
        retries.forget(id)
        for (const map of [desired, applied, heldBack, errors]) map.delete(id)
      }
    for (const [key, row] of holds) if (!registry.get(row.gatewayId)) holds.delete(key)
  }

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = tail.then(work)
    tail = result.catch(() => {})
    return await result
  }

  async function compileWorkspace(scope: string): Promise<void> {
    const assigned = await inTurn(async () => {
      const [org = '', workspace = ''] = scope.split('/')
      const snapshot = withKept(await store.readSnapshot(org, workspace))
      const compiled = await compile(snapshot)
      const lifted = liftedHolds(snapshot)
      const changed: { gatewayId: string; document: Document }[] = []
      for (const one of compiled) if ('document' in one && desired.get(one.gatewayId)?.configHash !== one.document.hash) changed.push(one)
      const made = new Set(changed.map((one) => one.document))
      const failed = made.size > 0 ? await store.failedBefore(Array.from(made, ({ hash }) => hash)) : new Set<string>()
      for (const document of made) documents.remember(document)
      const gateways = new Map(snapshot.gateways.map((gateway) => [gateway.id, gateway]))
      const next: Desired[] = []
      for (const { gatewayId, document } of changed) {
        await turn()
        const { lkgHash = null, highestGeneration = 0 } = registry.get(gatewayId) ?? gateways.get(gatewayId) ?? {}
        next.push(
          await sign(gatewayId, document.hash, {
            lkgHash,
            generation: Math.max(desired.get(gatewayId)?.generation ?? 0, highestGeneration) + 1,
            // A gateway keeps what failed there in quarantine; coming back to it was somebody's decision.
            force: failed.has(`${gatewayId}/${document.hash}`),
            changeSeq: snapshot.changeSeq,
          }),
        )
      }
      const before = new Map(next.map(({ gatewayId }) => [gatewayId, desired.get(gatewayId)]))
      await save(next, made, lifted)
      for (const one of compiled) note(one)
      noteUnreadable(scope, snapshot)
      for (const server of snapshot.servers) {
        if (compiledGenerations.get(server.uid) === server.generation) continue
        compiledGenerations.set(server.uid, server.generation)
        changes.status(scope, 'Server', server.name)
        await turn()
      }
      return { next, before }
    })
    attempts = 0
    await announce(assigned.next, assigned.before)
  }

  function withKept({ unreadable, ...snapshot }: StoredSnapshot): Snapshot & { changeSeq: number } {
    const keptOf = ({ uid, name }: { uid: string; name: string }) =>
      snapshot.gateways.flatMap(({ id }) => {
        const document = desired.get(id)?.document
        const entry = document && entryIn(document, { uid, name })
        return entry ? [[id, entry] as const] : []
      })
    return { ...snapshot, unreadable: unreadable.map((server) => ({ ...server, kept: new Map(keptOf(server)) })) }
  }

  function noteUnreadable(scope: string, { servers, unreadable }: Snapshot): void {
    for (const { uid } of servers) specErrors.delete(uid)
    for (const { uid, name, error } of unreadable) {
      if (specErrors.get(uid) === error) continue
      specErrors.set(uid, error)
      log.error({ scope, server: name, reason: error }, 'the stored spec of a server cannot be read; gateways keep what they have of it')
      changes.status(scope, 'Server', name)
    }
  }

  function note(one: CompiledGateway): void {
    heldBack.set(one.gatewayId, one.heldBack)
    const error = 'error' in one ? one.error : undefined
    if (errors.get(one.gatewayId) === error) return
    if (error === undefined) errors.delete(one.gatewayId)
    else {
      errors.set(one.gatewayId, error)
      log.warn({ gateway: registry.get(one.gatewayId)?.name, reason: error }, 'no config could be compiled')
    }
    tellGateway(one.gatewayId)
  }

  async function save(
    next: Desired[],
    made: ReadonlySet<Document>,
    lifted: { gatewayId: string; serverUid: string }[],
    replaced: Assignment[] = [],
  ): Promise<void> {
    if (next.length === 0 && lifted.length === 0) return
    const revisions = new Map<string, { serverUid: string; subHash: string; entry: string }>()
    for (const { entries } of made) {
      for (const { uid, subHash, json } of entries) revisions.set(`${uid}/${subHash}`, { serverUid: uid, subHash, entry: json })
      await turn()
    }
    await db.recordConfigs({
      at: isoNow(),
      lifted,
      replaced: replaced.map(keyOf),
      documents: Array.from(made, ({ hash, bytes }) => ({ hash, bytes })),
      revisions: [...revisions.values()],
      assignments: next.map(rowOf),
      // Not each time: a few more than 50 may stay for a while.
      prune: {
        keep: historyLength,
        gateways: next.filter(({ generation }) => generation > historyLength && generation % 10 === 0).map(keyOf),
      },
    })
    for (const { gatewayId, serverUid } of lifted)
      for (const [key, row] of holds) if (row.gatewayId === gatewayId && row.serverUid === serverUid) holds.delete(key)
    for (const one of next) desired.set(one.gatewayId, one)
  }

  /** Gateways first: an offer waits for nobody who only watches. */
  async function announce(next: Desired[], before: ReadonlyMap<string, Desired | undefined>): Promise<void> {
    if (next.length === 0) return
    for (const listener of listeners) listener(next.map((one) => one.gatewayId))
    const told = new Map<string, Set<string>>()
    for (const one of next) {
      tellGateway(one.gatewayId)
      const gateway = registry.get(one.gatewayId)
      if (!gateway) continue
      const scope = `${gateway.org}/${gateway.workspace}`
      let names = told.get(scope)
      if (!names) told.set(scope, (names = new Set()))
      addChanged(names, before.get(one.gatewayId), one)
      await turn()
    }
    for (const [scope, names] of told)
      for (const name of names) {
        changes.status(scope, 'Server', name)
        await turn()
      }
  }

  function retryLater(scope: string, error: unknown): void {
    log.error({ err: error, scope }, 'compiling the configs failed; trying again')
    clock.after(fullJitter(attempts++, { baseMs: timers.reconnectBase, maxMs: timers.reconnectMax }) + 100, () => due.touch(scope))
  }

  function standing(gatewayId: string): Standing {
    const held = heldBack.get(gatewayId) ?? []
    return {
      desired: desired.get(gatewayId),
      applied: applied.get(gatewayId),
      heldBack: held.map((one) => {
        const row = [...holds.values()].find((hold) => hold.gatewayId === gatewayId && hold.serverUid === one.uid)
        return {
          ...one,
          reason: row?.reason ?? 'Refused',
          message: row?.message ?? '',
          since: row?.since ?? '',
          evidence: row?.evidence ?? {},
        }
      }),
      error: errors.get(gatewayId),
    }
  }

  function markOffered(gatewayId: string, generation: number): void {
    const current = desired.get(gatewayId)
    if (current?.generation === generation && current.state === 'waiting') current.state = 'offered'
  }

  /** What a gateway says about a config, an older one perhaps. */
  async function report(gatewayId: string, status: ConfigStatus): Promise<void> {
    const state = configStateWords.word(status.state)
    const generation = Number(status.generation)
    if (!state || generation === 0) return
    const configHash = Buffer.from(status.configHash).toString('hex')
    const current = desired.get(gatewayId)
    const known = current?.generation === generation ? current : await store.find(gatewayId, generation)
    if (!known || known.configHash !== configHash) return
    const reason = state === 'rejected' || state === 'rolled_back' ? (configFailureWords.word(status.failureReason) ?? null) : null
    const news = { state, reason, message: status.message.slice(0, 4096) || null, stateAt: isoNow() }
    if (known.state === state && known.reason === reason) return
    Object.assign(known, news)
    writes.put(`assignment/${gatewayId}/${generation}`, { op: 'assignment', gatewayId, generation, ...news })
    if (state === 'applied') await keepProven(gatewayId, known, status)
    if (state === 'rejected' || state === 'rolled_back') await heed(gatewayId, known, status)
    tellGateway(gatewayId)
  }

  async function keepProven(gatewayId: string, { generation, configHash }: Assignment, status: ConfigStatus): Promise<void> {
    applied.set(gatewayId, { generation, hash: configHash, at: isoNow() })
    const document = await documents.load(configHash)
    const failed = new Set(status.servers.filter((server) => server.lastError !== '').map((server) => server.name))
    const proven = [...(document?.entries.values() ?? [])].flatMap(({ name, uid, subHash }) =>
      uid === undefined || failed.has(name) ? [] : [{ server: name, serverUid: uid, subHash }],
    )
    writes.put(`proven/${gatewayId}`, { op: 'proven', gatewayId, servers: proven, updatedAt: isoNow() })
  }

  /** A refusal: hold back whom it names, offer again what only its number or the disk was in the way of, else leave it to the next change. */
  async function heed(gatewayId: string, { generation, configHash }: Assignment, status: ConfigStatus): Promise<void> {
    const gateway = registry.get(gatewayId)
    if (!gateway) return
    log.warn(
      { gateway: gateway.name, generation, reason: configFailureWords.word(status.failureReason), message: status.message },
      'a gateway refused its config',
    )
    if (status.failureReason === ConfigFailureReason.STORAGE) {
      // One that was replaced since must not take the place of the newer one's timer.
      if (desired.get(gatewayId)?.generation === generation) retries.schedule(gatewayId, generation)
      return
    }
    const why = renumbered.get(status.failureReason)
    if (why !== undefined)
      // A gateway that complains about a generation it does not itself report as seen would be renumbered for ever.
      return gateway.highestGeneration >= generation ? await numberAnew(gatewayId, gateway.highestGeneration, why) : undefined
    const candidate = (await documents.load(configHash))?.entries ?? new Map<string, DocumentEntry>()
    const lkg = (gateway.lkgHash === null ? null : await documents.load(gateway.lkgHash))?.entries ?? new Map<string, DocumentEntry>()
    const rows: HoldRow[] = refusedServers(status, candidate, lkg)
      .map((refused) => ({ gatewayId, since: isoNow(), ...refused }))
      .filter((row) => !holds.has(holdKey(row)))
    if (rows.length === 0) return
    await db.insertHolds(rows.map((row) => ({ ...row, evidence: JSON.stringify(row.evidence) })))
    for (const row of rows) {
      holds.set(holdKey(row), row)
      tellServer(gatewayId, row.server)
    }
    // The compile reads from the tables what last worked here.
    await writes.committed(0)
    due.now(`${gateway.org}/${gateway.workspace}`)
  }

  /** The time after a STORAGE is over; whatever came in between has answered the question already. */
  function offerAgain(gatewayId: string, generation: number): void {
    const current = desired.get(gatewayId)
    if (current?.generation !== generation || current.state !== 'rejected') return
    const seen = Math.max(generation, registry.get(gatewayId)?.highestGeneration ?? 0)
    numberAnew(gatewayId, seen, 'it could not store the last one').catch((error: unknown) => {
      log.error({ err: error, gateway: gatewayId }, 'a config could not be numbered anew; trying again')
      retries.schedule(gatewayId, generation)
    })
  }

  /** The same config under a number that the gateway has not seen. */
  async function numberAnew(gatewayId: string, seen: number, why: string): Promise<void> {
    const raised = await inTurn(async () => {
      const current = desired.get(gatewayId)
      const gateway = registry.get(gatewayId)
      if (!current || !gateway || current.generation > seen) return []
      log.warn({ gateway: gateway.name, generation: current.generation, seen, why }, 'numbering the config of a gateway anew')
      const next = await sign(gatewayId, current.configHash, {
        lkgHash: gateway.lkgHash,
        generation: seen + 1,
        force: current.force,
        changeSeq: current.changeSeq,
      })
      // What could never be stored leaves the history, which a disk full over night would fill with it.
      await save([next], new Set(), [], current.reason === 'STORAGE' ? [current] : [])
      return [next]
    })
    await announce(raised, new Map())
  }

  /** Newest first, with the names of the servers in each. */
  async function history(gatewayId: string) {
    return await Promise.all(
      (await store.history(gatewayId)).map(async (row) => {
        const current = desired.get(gatewayId)
        const document = await documents.load(row.configHash)
        return { ...row, ...(current?.generation === row.generation && { state: current.state }), document }
      }),
    )
  }

  function tellGateway(gatewayId: string): void {
    const gateway = registry.get(gatewayId)
    if (gateway) changes.status(`${gateway.org}/${gateway.workspace}`, 'Gateway', gateway.name)
  }

  function tellServer(gatewayId: string, server: string): void {
    const gateway = registry.get(gatewayId)
    if (gateway) changes.status(`${gateway.org}/${gateway.workspace}`, 'Server', server)
  }

  function isoNow(): string {
    return new Date(clock.now()).toISOString()
  }
}

/** Refusals of a number instead of a config, and why. */
const renumbered = new Map([
  [ConfigFailureReason.STALE_GENERATION, 'it knows a newer generation than the database'],
  [ConfigFailureReason.CONFLICTING_GENERATION, 'it knows another config of this generation'],
  [ConfigFailureReason.SLOT_CORRUPT, 'its copy was damaged on its disk'],
])

/** Servers that another config may show in another state; after a refusal those are all. */
function addChanged(names: Set<string>, before: Desired | undefined, { document: { entries } }: Desired): void {
  const known = before?.state === 'rejected' || before?.state === 'rolled_back' ? undefined : before?.document.entries
  for (const { name, subHash } of entries.values()) if (known?.get(name)?.subHash !== subHash) names.add(name)
  for (const name of known?.keys() ?? []) if (!entries.has(name)) names.add(name)
}

const keyOf = ({ gatewayId, generation }: Assignment) => ({ gatewayId, generation })

/** Without the document, which has a table of its own. */
function rowOf({ document: _document, ...row }: Desired): Assignment {
  return row
}

const holdKey = ({ gatewayId, serverUid, subHash }: HoldRow): string => `${gatewayId}/${serverUid}/${subHash}`
