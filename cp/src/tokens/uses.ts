import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import type { Db } from '../db/db.ts'
import type { Token, TokenStore } from './store.ts'

/** Uses are written down together, this long after the first. */
const delayMs = 5_000
/** And those of one token no more often than this. */
const periodMs = 60_000

export type TokenUses = ReturnType<typeof tokenUses>

/** When tokens were last used: many requests, few writes. */
export function tokenUses({ db, store, clock, log }: { db: Pick<Db, 'write'>; store: Pick<TokenStore, 'used'>; clock: Clock; log: Log }) {
  const waiting = new Map<string, string>()
  let cancel: (() => void) | undefined
  let writing: Promise<void> = Promise.resolve()
  const part: Part = {
    name: 'uses of tokens',
    start: async () => {},
    async stop() {
      cancel?.()
      flush()
      await writing
    },
  }
  return { used, part }

  function used({ id, lastUsedAt }: Pick<Token, 'id' | 'lastUsedAt'>): void {
    const now = clock.now()
    if (lastUsedAt !== null && now - Date.parse(lastUsedAt) < periodMs) return
    waiting.set(id, new Date(now).toISOString())
    cancel ??= clock.after(delayMs, flush)
  }

  function flush(): void {
    cancel = undefined
    const uses = [...waiting]
    waiting.clear()
    if (uses.length === 0) return
    writing = db
      .write(async (tx) => {
        for (const [id, at] of uses) await store.used(tx, id, at)
      })
      .catch((error: unknown) => log.warn({ err: error }, 'uses of tokens could not be written down'))
  }
}
