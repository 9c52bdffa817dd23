import { fullJitter } from '@mcpg/core/backoff'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { ConfigFailureReason, ConfigState, type ConfigStatus } from '@mcpg/proto/gen/types'
import { secretKind } from '@mcpg/proto/kinds/secret'
import { serverKind } from '@mcpg/proto/kinds/server'
import { configFailureWords, configStateWords } from '@mcpg/proto/status-wire'
import type { Change, Changes } from '../changes/changes.ts'
import type { TellOfGateway } from '../events/gateway-events.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Writes } from '../gateways/writes.ts'
import { turn } from '../turns.ts'
import { feedOf } from '../resources/scope.ts'
import type { Causes } from './causes.ts'
import { compile, liftedHolds, type CompiledGateway, type Document, type DocumentEntry, type HeldBack, type Snapshot } from './compile.ts'
import { debouncer } from './debounce.ts'
import { dueSecrets } from './due-secrets.ts'
import { entryIn, type Documents, type ReadDocument } from './documents.ts'
import { refusedServers, type Evidence } from './failing.ts'
import { changedNames, type Generations } from './generations.ts'
import type { Holds } from './holds.ts'
import type { Pinned, Pins } from './pins.ts'
import type { Desired } from './signing.ts'
import { storageRetries } from './storage-retries.ts'
import type { Assignment, ConfigStore, StoredSnapshot } from './store.ts'

export type Configs = ReturnType<typeof configService>

/** Where one gateway stands; `error` says why no newer config could be compiled for it. */
export type Standing = {
  desired: Desired | undefined
  applied: { generation: number; hash: string; at: string } | undefined
  heldBack: (HeldBack & { reason: string; message: string; since: string; evidence: Evidence })[]
  pinned: Pinned | undefined
  error: string | undefined
}

/**
 * Turns what is wanted into signed configs: a change of a server, a gateway or a hold leads to a compile of its workspace, a new hash
 * to a new generation. What gateways answer is kept with the generation, and a server revision that one of them refused is held back
 * there, so that everybody else's changes flow. A pinned gateway keeps what it has.
 */
export function configService({
  store,
  documents,
  generations,
  holds,
  pins,
  causes,
  registry,
  writes,
  changes,
  happened,
  clock,
  timers,
  log,
}: {
  store: ConfigStore
  documents: Documents
  generations: Generations
  holds: Holds
  pins: Pins
  causes: Causes
  registry: Pick<Registry, 'get' | 'all'>
  writes: Pick<Writes, 'put' | 'committed'>
  changes: Changes
  happened: TellOfGateway
  clock: Clock
  timers: Timers
  log: Log
}) {
  const applied = new Map<string, { generation: number; hash: string; at: string }>()
  /** What a gateway applied last, by its id. */
  const proven = new Map<string, ReadDocument>()
  const heldBack = new Map<string, HeldBack[]>()
  const errors = new Map<string, string>()
  const specErrors = new Map<string, string>() // of servers, by uid
  const compiledGenerations = new Map<string, number>() // of servers, by uid
  const secrets = dueSecrets()
  const due = debouncer({
    clock,
    delayMs: timers.compileDebounce,
    maxWaitMs: timers.compileMaxWait,
    run: compileWorkspace,
    onError: retryLater,
  })
  const retries = storageRetries({ clock, delayMs: timers.storageRetry, retry: offerAgain })
  let attempts = 0
  let stopListening = () => {}
  return {
    load,
    stop,
    desired: generations.get,
    standing,
    served,
    /** The newest generation of a config that the gateway runs, ran last or got lately. */
    numberOf: generations.numberOf,
    report,
    /** For a gateway that knows a higher generation than the database, which is older than what the gateway remembers. */
    raiseAbove: (gatewayId: string, reported: number) =>
      generations.numberAnew(gatewayId, reported, 'it knows a newer generation than the database'),
    /** Compiles a workspace at once instead of after the pause that changes are given. */
    compileNow: due.now,
    observedGeneration: (serverUid: string) => compiledGenerations.get(serverUid) ?? 0,
    /** A server that uses this secret waits for the config that brings its change. */
    isSecretDue: secrets.isDue,
    /** Why the stored spec of a server cannot be read; gateways keep what they have of it. */
    specError: (serverUid: string) => specErrors.get(serverUid),
    markOffered,
    onAssigned: generations.onAssigned,
  }

  async function load(): Promise<void> {
    for (const { gatewayId, generation, state, reason } of await generations.load())
      if (state === 'rejected' && reason === 'STORAGE') retries.schedule(gatewayId, generation)
    for (const row of await store.lastApplied()) {
      applied.set(row.gatewayId, { generation: row.generation, hash: row.configHash, at: row.stateAt ?? row.createdAt })
      const current = generations.get(row.gatewayId)
      const document = current?.configHash === row.configHash ? current.document : await documents.load(row.configHash)
      if (document) proven.set(row.gatewayId, document)
    }
    await Promise.all([holds.load(), pins.load()])
    stopListening = changes.onChange(hear)
    // What changed while nobody compiled; equal hashes cost nothing.
    for (const { org, workspace } of registry.all()) due.touch(`${org}/${workspace}`)
  }

  async function stop(): Promise<void> {
    stopListening()
    retries.stop()
    await due.stop()
    await generations.drained()
  }

  function hear({ kind, type, scope: place, name, detail, object }: Change): void {
    // A restart raises counters beside the object, so it is told as a change of status.
    if (type === 'STATUS' && detail?.['restart'] !== true) return
    const isCompiled = compiledKinds.has(kind)
    const scope = feedOf(place)
    if (isCompiled) causes.touched(scope, kind, name)
    if (kind === secretKind.kind) secrets.touched(scope, name)
    if (kind === 'Server' && detail?.['retry'] === true)
      holds.forgive(scope, name).then(
        () => due.touch(scope),
        (error: unknown) => log.error({ err: error, server: name }, 'a hold could not be lifted'),
      )
    else if (isCompiled) due.touch(scope)
    if (kind === 'Gateway' && type === 'DELETED') forgetMissing()
    if (kind === 'Server' && type === 'DELETED' && object) specErrors.delete(object.metadata.uid)
    if (kind === 'Server' && type === 'DELETED') holds.forgetServer(object?.metadata.uid)
  }

  function forgetMissing(): void {
    for (const id of generations.forgetGateways()) {
      retries.forget(id)
      for (const map of [applied, proven, heldBack, errors]) map.delete(id)
    }
    holds.forgetGateways()
    pins.forgetGateways()
  }

  async function compileWorkspace(scope: string): Promise<void> {
    const { next, before } = await generations.inTurn(() => compileInTurn(scope))
    attempts = 0
    await generations.announce(next, before)
  }

  async function compileInTurn(scope: string) {
    const [org = '', workspace = ''] = scope.split('/')
    const takenSecrets = secrets.take(scope)
    const snapshot = withKept(await store.readSnapshot(org, workspace))
    const compiled = await compile(snapshot)
    const lifted = liftedHolds(snapshot)
    const changed = compiled.filter(
      (one): one is CompiledGateway & { document: Document } =>
        'document' in one && !pins.find(one.gatewayId) && generations.get(one.gatewayId)?.configHash !== one.document.hash,
    )
    const made = new Set(changed.map((one) => one.document))
    const failed = made.size > 0 ? await store.failedBefore(Array.from(made, ({ hash }) => hash)) : new Set<string>()
    for (const document of made) documents.remember(document)
    // Only now: what the snapshot saw may be heard of a moment after it was committed.
    const cause = causes.take(scope)
    const giveBack = (error: unknown): never => {
      cause.giveBack()
      throw error
    }
    const next = await numbered(changed, { failed, changeSeq: snapshot.changeSeq, cause }).catch(giveBack)
    const before = new Map(next.map(({ gatewayId }) => [gatewayId, generations.get(gatewayId)]))
    await generations.save(next, made, lifted).catch(giveBack)
    holds.lifted(lifted)
    for (const one of compiled) note(one)
    noteUnreadable(scope, snapshot)
    const arrived = new Set(takenSecrets())
    for (const server of snapshot.servers) {
      const isServed = arrived.size > 0 && serverKind.references(server.spec).some(({ name }) => arrived.has(name))
      if (compiledGenerations.get(server.uid) === server.generation && !isServed) continue
      compiledGenerations.set(server.uid, server.generation)
      changes.status(scope, 'Server', server.name)
      await turn()
    }
    return { next, before }
  }

  async function numbered(
    changed: { gatewayId: string; document: Document }[],
    { failed, changeSeq, cause }: { failed: ReadonlySet<string>; changeSeq: number; cause: ReturnType<Causes['take']> },
  ): Promise<Desired[]> {
    const next: Desired[] = []
    for (const { gatewayId, document } of changed) {
      await turn()
      next.push(
        await generations.next(gatewayId, document.hash, {
          // A gateway keeps what failed there in quarantine; coming back to it was somebody's decision.
          force: failed.has(`${gatewayId}/${document.hash}`),
          changeSeq,
          cause: await cause.of(gatewayId),
        }),
      )
    }
    return next
  }

  function withKept({ unreadable, ...snapshot }: StoredSnapshot): Snapshot & { changeSeq: number } {
    const keptOf = ({ uid, name }: { uid: string; name: string }) =>
      snapshot.gateways.flatMap(({ id }) => {
        const document = generations.get(id)?.document
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
    const { gatewayId } = one
    const isPinned = pins.find(gatewayId) !== undefined
    heldBack.set(gatewayId, one.heldBack)
    const current = generations.get(gatewayId)?.document
    const waiting = isPinned && 'document' in one ? changedNames(current, { entries: byName(one.document) }) : []
    const isOther = pins.setWaiting(gatewayId, waiting.sort())
    const error = 'error' in one ? one.error : undefined
    if (errors.get(gatewayId) === error && !isOther) return
    if (error === undefined) errors.delete(gatewayId)
    else {
      errors.set(gatewayId, error)
      log.warn({ gateway: registry.get(gatewayId)?.name, reason: error }, 'no config could be compiled')
      happened(gatewayId, { reason: 'ConfigError', warning: true, message: error })
    }
    generations.tellGateway(gatewayId)
    for (const name of isOther ? waiting : []) tellServer(gatewayId, name)
  }

  function retryLater(scope: string, error: unknown): void {
    log.error({ err: error, scope }, 'compiling the configs failed; trying again')
    clock.after(fullJitter(attempts++, { baseMs: timers.reconnectBase, maxMs: timers.reconnectMax }) + 100, () => due.touch(scope))
  }

  function standing(gatewayId: string): Standing {
    // What a pinned gateway would get is not what it has.
    const held = (pins.find(gatewayId) ? undefined : heldBack.get(gatewayId)) ?? []
    return {
      desired: generations.get(gatewayId),
      applied: applied.get(gatewayId),
      heldBack: held.map((one) => {
        const row = holds.of(gatewayId, one.uid)
        return {
          ...one,
          reason: row?.reason ?? 'Refused',
          message: row?.message ?? '',
          since: row?.since ?? '',
          evidence: row?.evidence ?? {},
        }
      }),
      pinned: pins.find(gatewayId),
      error: errors.get(gatewayId),
    }
  }

  /** What a gateway serves by, as far as is known here: a config routes from its probation on. */
  function served(gatewayId: string): ReadDocument | undefined {
    const current = generations.get(gatewayId)
    return current?.state === 'probation' ? current.document : proven.get(gatewayId)
  }

  function markOffered(gatewayId: string, generation: number): void {
    const current = generations.get(gatewayId)
    if (current?.generation === generation && current.state === 'waiting') current.state = 'offered'
  }

  /** What a gateway says about a config, an older one perhaps. */
  async function report(gatewayId: string, status: ConfigStatus): Promise<void> {
    const state = configStateWords.word(status.state)
    const generation = Number(status.generation)
    if (!state || generation === 0) return
    const configHash = Buffer.from(status.configHash).toString('hex')
    const current = generations.get(gatewayId)
    const known = current?.generation === generation ? current : await store.find(gatewayId, generation)
    if (!known || known.configHash !== configHash) return
    const reason = state === 'rejected' || state === 'rolled_back' ? (configFailureWords.word(status.failureReason) ?? null) : null
    const news = { state, reason, message: status.message.slice(0, 4096) || null, stateAt: isoNow() }
    if (known.state === state && known.reason === reason) return
    // Before anybody is told: whoever hears that it is applied may call what it brings.
    if (state === 'applied') await keepApplied(gatewayId, known)
    Object.assign(known, news)
    writes.put(`assignment/${gatewayId}/${generation}`, { op: 'assignment', gatewayId, generation, ...news })
    if (state === 'applied') keepRevisions(gatewayId, status)
    if (state === 'rejected' || state === 'rolled_back') await heed(gatewayId, known, status)
    generations.tellGateway(gatewayId)
  }

  async function keepApplied(gatewayId: string, known: Assignment | Desired): Promise<void> {
    const { generation, configHash } = known
    const document = 'document' in known ? known.document : await documents.load(configHash)
    if (document) proven.set(gatewayId, document)
    applied.set(gatewayId, { generation, hash: configHash, at: isoNow() })
  }

  function keepRevisions(gatewayId: string, status: ConfigStatus): void {
    const failed = new Set(status.servers.filter((server) => server.lastError !== '').map((server) => server.name))
    const servers = [...(proven.get(gatewayId)?.entries.values() ?? [])].flatMap(({ name, uid, subHash }) =>
      uid === undefined || failed.has(name) ? [] : [{ server: name, serverUid: uid, subHash }],
    )
    writes.put(`proven/${gatewayId}`, { op: 'proven', gatewayId, servers, updatedAt: isoNow() })
  }

  /** A refusal: hold back whom it names, offer again what only its number or the disk was in the way of, else leave it to the next change. */
  async function heed(gatewayId: string, { generation, configHash }: Assignment, status: ConfigStatus): Promise<void> {
    const gateway = registry.get(gatewayId)
    if (!gateway) return
    log.warn(
      { gateway: gateway.name, generation, reason: configFailureWords.word(status.failureReason), message: status.message },
      'a gateway refused its config',
    )
    const reason = status.state === ConfigState.ROLLED_BACK ? 'ConfigRolledBack' : 'ConfigRejected'
    happened(gatewayId, { reason, warning: true, message: `generation ${generation}: ${status.message}` })
    if (status.failureReason === ConfigFailureReason.STORAGE) {
      // One that was replaced since must not take the place of the newer one's timer.
      if (generations.get(gatewayId)?.generation === generation) retries.schedule(gatewayId, generation)
      return
    }
    const why = renumbered.get(status.failureReason)
    if (why !== undefined)
      // A gateway that complains about a generation it does not itself report as seen would be renumbered for ever.
      return gateway.highestGeneration >= generation ? await generations.numberAnew(gatewayId, gateway.highestGeneration, why) : undefined
    // Nothing else would be compiled for it, so nothing needs to be held back.
    if (pins.find(gatewayId)) return
    const candidate = (await documents.load(configHash))?.entries ?? new Map<string, DocumentEntry>()
    const lkg = (gateway.lkgHash === null ? null : await documents.load(gateway.lkgHash))?.entries ?? new Map<string, DocumentEntry>()
    const refused = refusedServers(status, candidate, lkg).map((one) => ({ gatewayId, since: isoNow(), ...one }))
    const added = await holds.add(refused)
    if (added.length === 0) return
    const scope = `${gateway.org}/${gateway.workspace}`
    for (const { server } of added) {
      causes.refused(scope, gatewayId, server)
      tellServer(gatewayId, server)
    }
    // The compile reads from the tables what last worked here.
    await writes.committed(0)
    due.now(scope)
  }

  /** The time after a STORAGE is over; whatever came in between has answered the question already. */
  function offerAgain(gatewayId: string, generation: number): void {
    const current = generations.get(gatewayId)
    if (current?.generation !== generation || current.state !== 'rejected') return
    const seen = Math.max(generation, registry.get(gatewayId)?.highestGeneration ?? 0)
    generations.numberAnew(gatewayId, seen, 'it could not store the last one').catch((error: unknown) => {
      log.error({ err: error, gateway: gatewayId }, 'a config could not be numbered anew; trying again')
      retries.schedule(gatewayId, generation)
    })
  }

  function tellServer(gatewayId: string, server: string): void {
    const gateway = registry.get(gatewayId)
    if (gateway) changes.status(`${gateway.org}/${gateway.workspace}`, 'Server', server)
  }

  function isoNow(): string {
    return new Date(clock.now()).toISOString()
  }
}

/** What documents are made of. */
const compiledKinds: ReadonlySet<string> = new Set(['Server', 'Gateway', 'Secret', 'Project', 'Prompt', 'Llm', 'ProxyModel'])

/** Refusals of a number instead of a config, and why. */
const renumbered = new Map([
  [ConfigFailureReason.STALE_GENERATION, 'it knows a newer generation than the database'],
  [ConfigFailureReason.CONFLICTING_GENERATION, 'it knows another config of this generation'],
  [ConfigFailureReason.SLOT_CORRUPT, 'its copy was damaged on its disk'],
])

const byName = ({ entries }: Document) => new Map(entries.map((entry) => [entry.name, entry]))
