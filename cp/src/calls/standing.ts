import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Caller } from '../access/caller.ts'
import type { CallRights } from './rights.ts'

/** Half of the second within which a call is cut. */
const lookMs = 500

/**
 * What let the caller of a request in; `shown` is the same for requests that show the same. `callerNow` throws as the request would be
 * refused if it were made now.
 */
export type Standing = { shown: string; callerNow: () => Promise<Caller> }

type Held = Standing & { rights: CallRights; rightsOf: (caller: Caller) => CallRights; cut: (why: McpgError) => void }

/** Calls under way: one whose caller would not be let in again, or with less than they had, is cut. Who shows the same is asked about once. */
export function callStandings({ clock }: { clock: Pick<Clock, 'after'> }) {
  const held = new Set<Held>()
  let cancel: (() => void) | null = null
  let isLooking = false
  return { hold }

  /** The answer lets go of it. */
  function hold(one: Held): () => void {
    held.add(one)
    lookSoon()
    return () => {
      held.delete(one)
      if (held.size > 0) return
      cancel?.()
      cancel = null
    }
  }

  /** One timer for all, and none while nothing is under way. */
  function lookSoon(): void {
    if (isLooking || held.size === 0) return
    cancel ??= clock.after(lookMs, () => {
      cancel = null
      isLooking = true
      void look().finally(() => {
        isLooking = false
        lookSoon()
      })
    })
  }

  async function look(): Promise<void> {
    const found = new Map<string, Promise<Caller | McpgError | null>>()
    for (const one of held) {
      let asked = found.get(one.shown)
      if (!asked) found.set(one.shown, (asked = whoNow(one)))
      const now = await asked
      if (now === null || !held.has(one)) continue
      if (now instanceof McpgError) one.cut(now)
      else if (!keeps(one.rights, one.rightsOf(now))) one.cut(lessNow(now))
    }
  }
}

/** Or why nobody; null where that cannot be told, as with an issuer that is away. */
async function whoNow({ callerNow }: Standing): Promise<Caller | McpgError | null> {
  try {
    return await callerNow()
  } catch (error) {
    return error instanceof McpgError && (error.code === 'unauthenticated' || error.code === 'forbidden') ? error : null
  }
}

/** Whoever got more goes on. */
function keeps(before: CallRights, now: CallRights): boolean {
  if (now === 'all' || before === 'none') return true
  if (now === 'none' || before === 'all') return false
  return before.grants.every((one) => now.grants.some((other) => isDeepStrictEqual(one, other)))
}

function lessNow({ subject }: Caller): McpgError {
  return new McpgError('forbidden', 'not_allowed', `${subject} may do less now than when this call was made.`, {
    hint: 'mcpg-ctl can-i --list',
  })
}
