import type { Log } from '@mcpg/core/log'
import type { Grant } from '@mcpg/proto/grants'
import type { AccessDocument, AccessEnvironment } from '@mcpg/proto/access-document'
import type { Db } from '../../db/db.ts'
import { turn } from '../../turns.ts'
import { effectiveGrants } from '../ceiling.ts'
import { stateOf } from '../resource.ts'
import type { Owner, Token, TokenStore } from '../store.ts'
import { accessGrants, entryKey, entryOf, type Entry, type WorkspacePath } from './entries.ts'
import { accessLedger, type AccessLedger } from './ledger.ts'

type Room = { path: WorkspacePath; ledger: AccessLedger; dirty: Set<string> | 'all'; work: Promise<void> }
export type AccessDocuments = ReturnType<typeof accessDocuments>

/**
 * The access document of every workspace that has been asked for: compiled from tokens and from what their owners may do now, numbered
 * upwards for ever, and told to whoever offers it as soon as it is another. A number never means two contents, also over restarts.
 */
export function accessDocuments({
  db,
  store,
  ownerOf,
  environmentsOf,
  now,
  log,
}: {
  db: Pick<Db, 'read' | 'write'>
  store: Pick<TokenStore, 'list' | 'findBySha256'>
  ownerOf: (owner: Owner) => Promise<{ subject: string; grants: readonly Grant[] } | null>
  environmentsOf: (path: WorkspacePath) => Promise<Record<string, AccessEnvironment>>
  now: () => number
  log: Log
}) {
  const rooms = new Map<string, Room>()
  const listeners: ((path: WorkspacePath) => void)[] = []
  return {
    offer,
    version,
    touch,
    recompile,
    raiseAbove,
    idle,
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

  async function ready(path: WorkspacePath): Promise<Room> {
    const scope = scopeOf(path)
    let room = rooms.get(scope)
    if (!room) {
      room = { path, ledger: accessLedger(path.workspace), dirty: new Set(), work: Promise.resolve() }
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
    const isIdle = room.dirty !== 'all' && room.dirty.size === 0
    if (what === 'all') room.dirty = 'all'
    else if (room.dirty !== 'all') room.dirty.add(what)
    // Whatever comes while one is at work is taken together by the next.
    if (isIdle)
      room.work = room.work
        .then(() => update(room))
        .catch((error: unknown) => {
          log.error(
            { err: error, scope: scopeOf(room.path) },
            'the access document could not be made; it is tried again with the next change',
          )
          room.dirty = 'all'
        })
  }

  async function update(room: Room): Promise<void> {
    const { dirty } = room
    room.dirty = new Set()
    const { keys, environments } = dirty === 'all' ? await compileAll(room) : { keys: await compileSome(room, dirty), environments: false }
    if (keys.length === 0 && !environments) return
    const next = room.ledger.version() + 1
    await keep(room, next)
    room.ledger.publish(next, keys, environments)
    for (const listener of listeners) listener(room.path)
  }

  async function compileAll({ path, ledger }: Room): Promise<{ keys: string[]; environments: boolean }> {
    const environments = ledger.setEnvironments(await environmentsOf(path))
    const tokens = (await store.list({ org: path.org })).filter(({ workspace }) => workspace === null || workspace === path.workspace)
    const owners = ownerCache()
    const gone = new Set(ledger.keys())
    const keys: string[] = []
    for (const token of tokens) {
      const key = entryKey(token)
      const entry = await compiled(token, path, owners)
      if (entry) gone.delete(key)
      if (entry && ledger.set(key, entry)) keys.push(key)
      await turn()
    }
    for (const key of gone) if (ledger.set(key, null)) keys.push(key)
    return { keys, environments }
  }

  async function compileSome({ path, ledger }: Room, hashes: Set<string>): Promise<string[]> {
    const owners = ownerCache()
    const keys: string[] = []
    for (const sha256 of hashes) {
      const token = await store.findBySha256(sha256)
      const key = entryKey({ sha256 })
      if (ledger.set(key, token && (await compiled(token, path, owners)))) keys.push(key)
    }
    return keys
  }

  async function compiled(token: Token, path: WorkspacePath, owners: typeof ownerOf): Promise<Entry | null> {
    if (stateOf(token, now()) !== 'active') return null
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

const scopeOf = ({ org, workspace }: WorkspacePath): string => `${org}/${workspace}`
