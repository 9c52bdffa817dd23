import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Grant } from '@mcpg/proto/grants'
import type { AccessDocument, AccessEnvironment, AccessIssuer } from '@mcpg/proto/access-document'
import type { Principal } from '../../access/principal.ts'
import type { Vouched } from '../../accounts/oidc.ts'
import type { Db } from '../../db/db.ts'
import { turn } from '../../turns.ts'
import { effectiveGrants } from '../ceiling.ts'
import { stateOf } from '../resource.ts'
import type { Owner, Token, TokenStore } from '../store.ts'
import { accessGrants, entryKey, entryOf, personEntryOf, personKey, type Entry, type WorkspacePath } from './entries.ts'
import { accessLedger, type AccessLedger } from './ledger.ts'

/** After a failure the same is tried again. */
const retryMs = 5_000

/** `dirty`: hashes of tokens, or everything; `isQueued`: `work` will take what is dirty. */
type Room = { path: WorkspacePath; ledger: AccessLedger; dirty: Set<string> | 'all'; isQueued: boolean; work: Promise<void> }
export type AccessDocuments = ReturnType<typeof accessDocuments>

/**
 * The access document of every workspace that has been asked for: compiled from tokens, from whom the issuer vouches for, and from what all
 * of them may do now, numbered upwards for ever, and told to whoever offers it as soon as it is another. A number never means two contents,
 * also over restarts.
 */
export function accessDocuments({
  db,
  store,
  ownerOf,
  vouched,
  grantsOf,
  environmentsOf,
  clock,
  log,
}: {
  db: Pick<Db, 'read' | 'write'>
  store: Pick<TokenStore, 'list' | 'findBySha256'>
  ownerOf: (owner: Owner) => Promise<{ subject: string; grants: readonly Grant[] } | null>
  /** Whose id_tokens count; null for nobody's. */
  vouched: () => Promise<Vouched | null>
  grantsOf: (principal: Principal) => Promise<readonly Grant[]>
  environmentsOf: (path: WorkspacePath) => Promise<Record<string, AccessEnvironment>>
  clock: Clock
  log: Log
}) {
  const rooms = new Map<string, Room>()
  const listeners: ((path: WorkspacePath) => void)[] = []
  const retries = new Map<Room, () => void>()
  return {
    offer,
    version,
    touch,
    recompile,
    recompileAll,
    raiseAbove,
    idle,
    stop,
    onChange: (listener: (path: WorkspacePath) => void) => void listeners.push(listener),
  }

  /** What brings a gateway of the workspace from the version it has to the newest. */
  async function offer(path: WorkspacePath, from: number): Promise<{ version: number; baseVersion: number; document: AccessDocument }> {
    const { ledger } = await ready(path)
    return { version: ledger.version(), ...ledger.offer(from) }
  }

  async function version(path: WorkspacePath): Promise<number> {
    return (await ready(path)).ledger.version()
  }

  /** This token is new, another, or gone. */
  function touch(token: Token): void {
    for (const room of rooms.values())
      if (room.path.org === token.org && (token.workspace === null || token.workspace === room.path.workspace)) mark(room, token.sha256)
  }

  /** What people may do, or how an environment is entered, is another. */
  function recompile({ org, workspace }: { org: string; workspace?: string | undefined }): void {
    for (const room of rooms.values())
      if (room.path.org === org && (workspace === undefined || workspace === room.path.workspace)) mark(room, 'all')
  }

  /** Whom the issuer vouches for, or its keys, are others. */
  function recompileAll(): void {
    for (const room of rooms.values()) mark(room, 'all')
  }

  /** A gateway has a number that was never given here: a database of an earlier day was restored. */
  async function raiseAbove(path: WorkspacePath, seen: number): Promise<void> {
    const room = await ready(path)
    room.work = room.work.then(async () => {
      if (room.ledger.version() > seen) return
      await keep(room, seen + 1)
      room.ledger.restore(seen + 1)
    })
    await room.work
  }

  /** Resolves once everything that was told is in the documents. */
  async function idle(): Promise<void> {
    for (const room of rooms.values()) await room.work
  }

  async function stop(): Promise<void> {
    for (const cancel of retries.values()) cancel()
    retries.clear()
    await idle()
  }

  async function ready(path: WorkspacePath): Promise<Room> {
    const scope = scopeOf(path)
    let room = rooms.get(scope)
    if (!room) {
      room = { path, ledger: accessLedger(path.workspace), dirty: new Set(), isQueued: false, work: Promise.resolve() }
      rooms.set(scope, room)
      const loading = load(room)
      room.work = loading.catch(() => void rooms.delete(scope))
      await loading
    }
    await room.work
    return room
  }

  async function load(room: Room): Promise<void> {
    const row = await db.read.accessVersion.findUnique({ where: { scope: scopeOf(room.path) } })
    await compileAll(room)
    const known = row?.version ?? 0
    if (row?.digest !== room.ledger.digest()) await keep(room, known + 1)
    room.ledger.restore(row?.digest === room.ledger.digest() ? known : known + 1)
  }

  function mark(room: Room, what: string): void {
    if (what === 'all') room.dirty = 'all'
    else if (room.dirty !== 'all') room.dirty.add(what)
    queue(room)
  }

  /** Whatever comes while one is at work is taken together by the next. */
  function queue(room: Room): void {
    if (room.isQueued) return
    room.isQueued = true
    room.work = room.work
      .then(() => update(room))
      .catch((error: unknown) => {
        log.error({ err: error, scope: scopeOf(room.path), retryMs }, 'the access document could not be made; it is tried again')
        room.dirty = 'all'
        retries.get(room)?.()
        retries.set(
          room,
          clock.after(retryMs, () => queue(room)),
        )
      })
  }

  async function update(room: Room): Promise<void> {
    const { dirty } = room
    room.dirty = new Set()
    room.isQueued = false
    await (dirty === 'all' ? compileAll(room) : compileSome(room, dirty))
    if (room.ledger.isPublished()) return
    const next = room.ledger.version() + 1
    await keep(room, next)
    room.ledger.publish(next)
    for (const listener of listeners) listener(room.path)
  }

  async function compileAll({ path, ledger }: Room): Promise<void> {
    ledger.setEnvironments(await environmentsOf(path))
    const trusted = await vouched()
    ledger.setIssuers(issuersOf(trusted))
    const tokens = (await store.list({ org: path.org })).filter(({ workspace }) => workspace === null || workspace === path.workspace)
    const owners = ownerCache()
    const gone = new Set(ledger.keys())
    for (const token of tokens) await put(entryKey(token), await compiled(token, path, owners))
    for (const { subject, user, signedOut } of trusted?.people ?? []) {
      const entry = personEntryOf({ email: user.email, signedOut }, accessGrants(await grantsOf(user), path))
      await put(personKey(trusted!.issuer, subject), entry)
    }
    for (const key of gone) ledger.set(key, null)

    async function put(key: string, entry: Entry | null): Promise<void> {
      if (entry) {
        gone.delete(key)
        ledger.set(key, entry)
      }
      await turn()
    }
  }

  async function compileSome({ path, ledger }: Room, hashes: Set<string>): Promise<void> {
    const owners = ownerCache()
    for (const sha256 of hashes) {
      const token = await store.findBySha256(sha256)
      ledger.set(entryKey({ sha256 }), token && (await compiled(token, path, owners)))
    }
  }

  async function compiled(token: Token, path: WorkspacePath, owners: typeof ownerOf): Promise<Entry | null> {
    if (stateOf(token, clock.now()) !== 'active') return null
    const owner = await owners(token.owner)
    return owner && entryOf(token, owner.subject, accessGrants(effectiveGrants(token, owner.grants), path))
  }

  /** Thousands of tokens have few owners. */
  function ownerCache(): typeof ownerOf {
    const known = new Map<string, ReturnType<typeof ownerOf>>()
    return (owner) => {
      const key = JSON.stringify(owner)
      let found = known.get(key)
      if (!found) known.set(key, (found = ownerOf(owner)))
      return found
    }
  }

  async function keep({ path, ledger }: Room, next: number): Promise<void> {
    const scope = scopeOf(path)
    const row = { version: next, digest: ledger.digest() }
    await db.write((tx) => tx.accessVersion.upsert({ where: { scope }, create: { scope, ...row }, update: row }))
  }
}

const issuersOf = (vouched: Vouched | null): Record<string, AccessIssuer> =>
  vouched ? { [vouched.issuer]: { audiences: [...vouched.audiences], keys: [...vouched.keys] } } : {}

const scopeOf = ({ org, workspace }: WorkspacePath): string => `${org}/${workspace}`
