import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import type { Db } from '../db/db.ts'
import type { Token, TokenStore, TokenUse } from './store.ts'

/** Uses are written down together, this long after the first. */
const delayMs = 5_000
/** And those of one token no more often than this. */
const periodMs = 60_000
/** In one transaction; what is more waits for the next. */
const maxAtOnce = 500
/** Gateways may name whatever they like. */
const maxWaiting = 10_000

export type TokenUses = ReturnType<typeof tokenUses>

/** When tokens were last used: many requests, few writes. */
export function tokenUses({ db, store, clock, log }: { db: Pick<Db, 'write'>; store: Pick<TokenStore, 'used'>; clock: Clock; log: Log }) {
  const waiting = new Map<string, TokenUse>()
  /** When uses of a token were written down last, by its id. */
  const written = new Map<string, number>()
  let cancel: (() => void) | undefined
  let writing: Promise<void> = Promise.resolve()
  const part: Part = {
    name: 'uses of tokens',
    start: async () => {},
    async stop() {
      while (waiting.size > 0) flush()
      cancel?.()
      await writing
    },
  }
  return { used, usedAtGateways, part }

  function used({ id, lastUsedAt }: Pick<Token, 'id' | 'lastUsedAt'>): void {
    const now = clock.now()
    if (lastUsedAt !== null && now - Date.parse(lastUsedAt) < periodMs) return
    note({ id, at: new Date(now).toISOString(), within: null })
  }

  /** By ids, as gateways of a workspace tell them: the latest in milliseconds since 1970. */
  function usedAtGateways(within: { org: string; workspace: string }, uses: ReadonlyMap<string, number>): void {
    const now = clock.now()
    for (const [id, at] of uses) {
      if (!id.startsWith('tok_') || waiting.size >= maxWaiting || now - (written.get(id) ?? 0) < periodMs) continue
      // A clock that is ahead does not make a use of tomorrow.
      note({ id, at: new Date(Math.min(at, now)).toISOString(), within: { org: within.org, workspace: within.workspace } })
    }
  }

  function note(use: TokenUse): void {
    const other = waiting.get(use.id)
    if (!other || other.at < use.at) waiting.set(use.id, use)
    cancel ??= clock.after(delayMs, flush)
  }

  function flush(): void {
    cancel = undefined
    const now = clock.now()
    for (const [id, at] of written) if (now - at >= periodMs) written.delete(id)
    const uses = [...waiting.values()].slice(0, maxAtOnce)
    for (const { id } of uses) {
      waiting.delete(id)
      written.set(id, now)
    }
    if (waiting.size > 0) cancel = clock.after(delayMs, flush)
    if (uses.length === 0) return
    writing = writing
      .then(() =>
        db.write(async (tx) => {
          for (const use of uses) await store.used(tx, use)
        }),
      )
      .catch((error: unknown) => log.warn({ err: error }, 'uses of tokens could not be written down'))
  }
}
