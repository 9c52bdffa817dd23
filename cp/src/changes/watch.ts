import { McpgError } from '@mcpg/proto/errors'
import { findKind } from '@mcpg/proto/kinds'
import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import type { WatchType } from '@mcpg/proto/rest/watch'
import type { Caller } from '../access/caller.ts'
import { allowedOn } from '../access/seen.ts'
import type { Resources } from '../resources/resources.ts'
import { feedOf, isWithin, scopeKey, scopeOfKey, type Scope } from '../resources/scope.ts'
import type { Change, Changes } from './changes.ts'
import { readCursor, writeCursor } from './cursor.ts'
import type { History } from './history.ts'

export type WatchRequest = { scope: Scope; kinds: KindDeclaration[]; since: string | undefined }
/** `id` is absent inside the first listing: from there nothing could be resumed. */
export type Sent = { type: WatchType; id?: string | undefined; object?: Resource | undefined }

/**
 * Changes that may wait for a slow reader; one more ends its watch, and it resumes by its last id. As many as the bus keeps anyway: a
 * fleet that applies a thousand servers tells of ten thousand instances at once, and no reader is that fast.
 */
const mostWaiting = 20_000

export type Watches = ReturnType<typeof watchService>

export function watchService({
  changes,
  history,
  resources,
  maxWaiting = mostWaiting,
}: {
  changes: Changes
  history: History
  resources: Resources
  maxWaiting?: number
}) {
  return { open }

  /**
   * The events for one watcher. Throws `gone` before the first one when the cursor is too old. Ends when `stopping` aborts or the
   * reader falls behind; `keepAliveMs` of silence give a BOOKMARK.
   */
  async function open(
    caller: Caller,
    { scope, kinds, since }: WatchRequest,
    stopping: AbortSignal,
    keepAliveMs: number,
  ): Promise<AsyncGenerator<Sent>> {
    const key = scopeKey(scope)
    const feed = feedOf(key)
    const watched = new Map(kinds.map((kind) => [kind.kind, kind]))
    const inbox = mailbox(stopping, maxWaiting)
    // Subscribed before anything is read, so that nothing falls between the beginning and what follows.
    let version = await history.latest(feed)
    const start = changes.last()
    const unsubscribe = changes.onChange((change) => {
      const kind = isWithin(change.scope, key) && watched.get(change.kind)
      if (kind && isSeen(caller, kind, change)) inbox.put(change)
    })
    try {
      const resumed = since === undefined ? null : await resume(since, key, kinds)
      return events(resumed)
    } catch (error) {
      unsubscribe()
      throw error
    }

    async function* events(resumed: Resumed | null): AsyncGenerator<Sent> {
      try {
        if (resumed) {
          version = resumed.version ?? version
          for (const change of resumed.changes) if (isSeen(caller, watched.get(change.kind)!, change)) yield* sent(change)
          if (resumed.statusUnknown) yield* statusOfAll()
        } else {
          for (const kind of kinds)
            if (caller.reaches('view', kind.plural, scope))
              for (const object of await resources.everything(caller, kind, scope)) yield { type: 'ADDED', object }
        }
        yield { type: 'BOOKMARK', id: writeCursor({ boot: changes.boot, seq: start, version }) }
        let seq = start
        for (;;) {
          const next = await inbox.take(keepAliveMs)
          if (next === 'closed') return
          if (next === 'silence') yield { type: 'BOOKMARK', id: writeCursor({ boot: changes.boot, seq, version }) }
          else if (next.seq > start) {
            seq = next.seq
            yield* sent(next)
          }
        }
      } finally {
        unsubscribe()
      }
    }

    async function* sent(change: Change): AsyncGenerator<Sent> {
      version = Math.max(version, change.version ?? 0)
      const object = await objectOf(change)
      if (object && allowedOn(caller, 'view', watched.get(change.kind)!.plural)(object.metadata))
        yield { type: change.type, id: writeCursor({ boot: changes.boot, seq: change.seq, version }), object }
    }

    async function objectOf(change: Change): Promise<Resource | null> {
      if (change.type === 'DELETED') return change.object ?? null
      if (change.object) return resources.present(change.object)
      return resources.get(caller, watched.get(change.kind)!, scopeOfKey(change.scope), change.name).catch((error: unknown) => {
        // Gone again in the meantime; its DELETED follows.
        if (error instanceof McpgError && error.code === 'not_found') return null
        throw error
      })
    }

    async function* statusOfAll(): AsyncGenerator<Sent> {
      for (const kind of kinds)
        if (caller.reaches('view', kind.plural, scope))
          for (const object of await resources.everything(caller, kind, scope)) yield { type: 'STATUS', object }
    }
  }

  type Resumed = { changes: Change[]; version?: number; statusUnknown: boolean }

  async function resume(text: string, scope: string, kinds: KindDeclaration[]): Promise<Resumed> {
    const cursor = readCursor(text)
    if (!cursor)
      throw new McpgError('invalid', 'cursor_unusable', 'The cursor is not one of ours.', { hint: 'Watch again without a cursor.' })
    const wanted = new Set(kinds.map(({ kind }) => kind))
    if (cursor.boot === changes.boot) {
      const missed = changes.since(cursor.seq)
      if (!missed) throw expired()
      return {
        changes: missed.filter((change) => isWithin(change.scope, scope) && wanted.has(change.kind)),
        version: cursor.version,
        statusUnknown: false,
      }
    }
    // Another process: rows tell of stored kinds; nobody wrote down what happened to virtual ones.
    const missed = kinds.some(({ virtual }) => virtual) ? null : await history.since(feedOf(scope), cursor.version)
    if (!missed) throw expired()
    const stored = missed.map((change) => ({ ...change, seq: 0, scope: scopeKey(change.object.metadata as Scope), version: change.seq }))
    return {
      changes: stored.filter((change) => isWithin(change.scope, scope) && wanted.has(change.kind)),
      version: cursor.version,
      statusUnknown: true,
    }
  }
}

/**
 * The kinds of a comma-separated list, for none all that can be seen from the scope: those that live there and in its projects. Throws
 * `invalid` for a word that names no kind, and for a kind that lives elsewhere.
 */
export function watchedKinds(words: string | undefined, scope: Scope, all: readonly KindDeclaration[]): KindDeclaration[] {
  if (words === undefined || words.trim() === '') return all.filter((kind) => livesIn(kind, scope))
  return [...new Set(words.split(',').map((word) => word.trim()))].map((word) => {
    const kind = findKind(word)
    if (!kind)
      throw new McpgError('invalid', 'kind_unknown', `"${word}" is not a kind.`, {
        violations: [{ pointer: '/querystring/kinds', detail: `"${word}" is not a kind` }],
      })
    if (!livesIn(kind, scope)) {
      const where = kind.scope === 'org' ? 'in the organization: watch scope=<org>' : 'in a workspace: watch scope=<org>/<workspace>'
      throw new McpgError('invalid', 'kind_elsewhere', `A ${kind.kind} lives ${where}.`, {
        violations: [{ pointer: '/querystring/kinds', detail: `"${word}" is not in this scope` }],
      })
    }
    return kind
  })
}

function livesIn({ scope: level }: KindDeclaration, { workspace, project }: Scope): boolean {
  if (workspace === undefined) return level === 'org'
  return level === 'project' || (level === 'workspace' && project === undefined)
}

/** Before anything is read; where an object of a virtual kind lives is only known with it. */
function isSeen(caller: Caller, { plural, virtual }: KindDeclaration, { scope: key, name }: Change): boolean {
  const scope = scopeOfKey(key)
  if (virtual) return caller.reaches('view', plural, scope)
  const names = caller.visible('view', plural, scope)
  return names === 'all' || names.includes(name)
}

function expired(): McpgError {
  return new McpgError('gone', 'watch_expired', 'What happened since this cursor is no longer known.', {
    hint: 'List again, then watch without a cursor.',
  })
}

/** Changes on their way to one reader. A status that still waits is not put in twice: whoever sends it reads the newest. */
function mailbox(stopping: AbortSignal, maxWaiting: number) {
  const waiting: Change[] = []
  const statuses = new Set<string>()
  let overflown = false
  let wake = () => {}
  stopping.addEventListener('abort', () => wake(), { once: true })
  return { put, take }

  function put(change: Change): void {
    const id = change.type === 'STATUS' && !change.object ? idOf(change) : null
    if (overflown || (id && statuses.has(id))) return
    if (id) statuses.add(id)
    waiting.push(change)
    if (waiting.length > maxWaiting) overflown = true
    wake()
  }

  async function take(silenceMs: number): Promise<Change | 'silence' | 'closed'> {
    if (waiting.length === 0 && !overflown && !stopping.aborted) {
      let timer: NodeJS.Timeout | undefined
      const silent = await new Promise<boolean>((resolve) => {
        wake = () => resolve(false)
        timer = setTimeout(() => resolve(true), silenceMs)
      })
      clearTimeout(timer)
      wake = () => {}
      if (silent && waiting.length === 0) return 'silence'
    }
    if (overflown || stopping.aborted) return 'closed'
    const next = waiting.shift()
    if (!next) return 'silence'
    statuses.delete(idOf(next))
    return next
  }
}

const idOf = ({ scope, kind, name }: Change): string => `${scope}\0${kind}/${name}`
