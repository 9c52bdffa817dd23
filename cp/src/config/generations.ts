import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import type { ConfigCause } from '@mcpg/proto/rest/gateways'
import type { Changes } from '../changes/changes.ts'
import type { Db } from '../db/db.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Keys } from '../keys/keys.ts'
import { turn } from '../turns.ts'
import type { Document } from './compile.ts'
import type { Documents, ReadDocument } from './documents.ts'
import { configSigner, type Desired } from './signing.ts'
import { historyLength, type Assignment, type ConfigStore } from './store.ts'

export type Generations = ReturnType<typeof generationBook>

/** Newest configs of a gateway whose numbers are at hand, beside those that it runs. */
const numbersKept = 8

/** The config that each gateway should run, as numbered and signed. Generations are numbered by one writer at a time. */
export function generationBook({
  db,
  store,
  documents,
  registry,
  keys,
  changes,
  clock,
  timers,
  log,
}: {
  db: Pick<Db, 'recordConfigs'>
  store: Pick<ConfigStore, 'latest' | 'numbersOf'>
  documents: Documents
  registry: Pick<Registry, 'get'>
  keys: Pick<Keys, 'sign'>
  changes: Changes
  clock: Clock
  timers: Timers
  log: Log
}) {
  const desired = new Map<string, Desired>()
  const numbers = new Map<string, Map<string, number>>() // newest generation by hash, per gateway
  const listeners = new Set<(gatewayIds: string[]) => void>()
  const sign = configSigner({ documents, keys, clock, timers })
  let tail: Promise<unknown> = Promise.resolve()
  return {
    load,
    drained: () => tail,
    inTurn,
    get: (gatewayId: string) => desired.get(gatewayId),
    /** The newest generation of a config that the gateway runs, ran last or got lately. */
    numberOf: (gatewayId: string, hash: string) => numbers.get(gatewayId)?.get(hash),
    next,
    save,
    replace,
    announce,
    numberAnew,
    forgetGateways,
    tellGateway,
    onAssigned: (listener: (gatewayIds: string[]) => void) => void listeners.add(listener),
  }

  async function load(): Promise<Desired[]> {
    for (const row of await store.latest()) {
      const document = await documents.load(row.configHash)
      if (document) desired.set(row.gatewayId, { ...row, document })
    }
    for (const { gatewayId, configHash, generation } of await store.numbersOf()) note(gatewayId, configHash, generation)
    for (const { gatewayId, configHash, generation } of desired.values()) note(gatewayId, configHash, generation)
    return [...desired.values()]
  }

  /** Nothing else is numbered until `work` has ended. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = tail.then(work)
    tail = result.catch(() => {})
    return await result
  }

  /** A document as the next generation of a gateway, above `seen` too; it counts once it is saved or put in place. */
  async function next(
    gatewayId: string,
    configHash: string,
    { seen = 0, ...more }: { seen?: number; force: boolean; changeSeq: number; cause: ConfigCause },
  ): Promise<Desired> {
    const { lkgHash = null, highestGeneration = 0 } = registry.get(gatewayId) ?? {}
    const generation = Math.max(desired.get(gatewayId)?.generation ?? 0, highestGeneration, seen) + 1
    return await sign(gatewayId, configHash, { lkgHash, generation, ...more })
  }

  async function save(
    made: Desired[],
    documentsMade: ReadonlySet<Document>,
    lifted: { gatewayId: string; serverUid: string }[],
    replaced: Assignment[] = [],
  ): Promise<void> {
    if (made.length === 0 && lifted.length === 0) return
    const revisions = new Map<string, { serverUid: string; subHash: string; entry: string }>()
    for (const { entries } of documentsMade) {
      for (const { uid, subHash, json } of entries) revisions.set(`${uid}/${subHash}`, { serverUid: uid, subHash, entry: json })
      await turn()
    }
    await db.recordConfigs({
      at: new Date(clock.now()).toISOString(),
      lifted,
      replaced: replaced.map(keyOf),
      documents: Array.from(documentsMade, ({ hash, bytes }) => ({ hash, bytes })),
      revisions: [...revisions.values()],
      assignments: made.map(rowOf),
      // Not each time: a few more than 50 may stay for a while.
      prune: {
        keep: historyLength,
        gateways: made.filter(({ generation }) => generation > historyLength && generation % 10 === 0).map(keyOf),
      },
    })
    for (const one of made) replace(one)
  }

  /** For who has written the row with something else that belongs to it. */
  function replace(one: Desired): void {
    desired.set(one.gatewayId, one)
    note(one.gatewayId, one.configHash, one.generation)
  }

  function note(gatewayId: string, hash: string, generation: number): void {
    const known = numbers.get(gatewayId) ?? new Map<string, number>()
    numbers.set(gatewayId, known)
    // The newest is last.
    known.delete(hash)
    known.set(hash, generation)
    const { appliedHash, lkgHash } = registry.get(gatewayId) ?? {}
    for (const old of [...known.keys()].slice(0, -numbersKept)) if (old !== appliedHash && old !== lkgHash) known.delete(old)
  }

  /** Gateways first: an offer waits for nobody who only watches. `before` is what each should have run until now. */
  async function announce(made: Desired[], before: ReadonlyMap<string, Desired | undefined>): Promise<void> {
    if (made.length === 0) return
    for (const listener of listeners) listener(made.map((one) => one.gatewayId))
    const told = new Map<string, Set<string>>()
    for (const one of made) {
      tellGateway(one.gatewayId)
      const gateway = registry.get(one.gatewayId)
      if (!gateway) continue
      const scope = `${gateway.org}/${gateway.workspace}`
      let names = told.get(scope)
      if (!names) told.set(scope, (names = new Set()))
      for (const name of otherwiseShown(before.get(one.gatewayId), one.document)) names.add(name)
      await turn()
    }
    for (const [scope, names] of told)
      for (const name of names) {
        changes.status(scope, 'Server', name)
        await turn()
      }
  }

  /** The same config under a number that the gateway has not seen. */
  async function numberAnew(gatewayId: string, seen: number, why: string): Promise<void> {
    const raised = await inTurn(async () => {
      const current = desired.get(gatewayId)
      const gateway = registry.get(gatewayId)
      if (!current || !gateway || current.generation > seen) return []
      log.warn({ gateway: gateway.name, generation: current.generation, seen, why }, 'numbering the config of a gateway anew')
      const { configHash, force, changeSeq } = current
      const cause: ConfigCause = { why: 'renumbered', actions: [], more: 0 }
      const one = await next(gatewayId, configHash, { seen, force, changeSeq, cause })
      // What could never be stored leaves the history, which a disk full over night would fill with it.
      await save([one], new Set(), [], current.reason === 'STORAGE' ? [current] : [])
      return [one]
    })
    await announce(raised, new Map())
  }

  /** Of gateways that are not there any more; their ids. */
  function forgetGateways(): string[] {
    const gone = [...desired.keys()].filter((id) => !registry.get(id))
    for (const id of gone) {
      desired.delete(id)
      numbers.delete(id)
    }
    return gone
  }

  function tellGateway(gatewayId: string): void {
    const gateway = registry.get(gatewayId)
    if (gateway) changes.status(`${gateway.org}/${gateway.workspace}`, 'Gateway', gateway.name)
  }
}

/** Servers whose status another config may change; after a refusal each of both, also one that is held back and left out now. */
function otherwiseShown(before: Desired | undefined, after: ReadDocument): Iterable<string> {
  const isRefused = before?.state === 'rejected' || before?.state === 'rolled_back'
  return isRefused ? new Set([...before.document.entries.keys(), ...after.entries.keys()]) : changedNames(before?.document, after)
}

type Entries = { entries: ReadonlyMap<string, { subHash: string }> }

/** Servers that are another revision in one of two documents, or only in one. */
export function changedNames(before: Entries | undefined, { entries: after }: Entries): string[] {
  const changed = [...after].filter(([name, { subHash }]) => before?.entries.get(name)?.subHash !== subHash).map(([name]) => name)
  return [...changed, ...[...(before?.entries.keys() ?? [])].filter((name) => !after.has(name))]
}

const keyOf = ({ gatewayId, generation }: Assignment) => ({ gatewayId, generation })

/** Without the document, which has a table of its own. */
export function rowOf({ document: _document, ...row }: Desired): Assignment {
  return row
}
