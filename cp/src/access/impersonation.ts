import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Audit } from '../audit/audit.ts'
import type { Db } from '../db/db.ts'
import type { Caller } from './caller.ts'
import type { Authenticate, Authenticated, Principal } from './principal.ts'

type User = Extract<Principal, { kind: 'user' }>

/** Somebody acts for somebody else no longer than this without beginning anew. */
const longestMs = 60 * 60_000

export type Impersonations = ReturnType<typeof impersonationService>

/**
 * Acting for somebody else in one's own session: what both may do and nothing more, under both names, until it is ended or for an hour.
 * It lives in memory: a restart of the control plane ends it.
 */
export function impersonationService({
  db,
  audit,
  clock,
  personOf,
  mayImpersonate,
}: {
  db: Pick<Db, 'read' | 'write'>
  audit: Pick<Audit, 'record'>
  clock: Clock
  /** The person behind an account; null for somebody who cannot sign in here. */
  personOf: (accountId: string) => Promise<User | null>
  mayImpersonate: (principal: Principal, org: string) => Promise<boolean>
}) {
  const active = new Map<string, { accountId: string; org: string; until: number }>() // by session
  return { begin, end, authenticating }

  async function begin({ caller, signedIn }: Asking, { user, org }: { user: string; org: string }): Promise<User> {
    if (signedIn?.impersonator || caller.impersonator !== undefined)
      throw new McpgError('failed_precondition', 'already_impersonating', `You act for ${caller.subject} already.`, { hint: endHint })
    if (!signedIn?.session || signedIn.principal.kind !== 'user')
      throw new McpgError(
        'failed_precondition',
        'session_needed',
        'Only somebody who signed in, with a session, can act for somebody else.',
        {
          hint: 'sign in with e-mail and password, or through the console',
        },
      )
    if (!(await mayImpersonate(signedIn.principal, org)))
      throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not do this: it needs the operation impersonate in ${org}.`)
    const account = await db.read.account.findUnique({ where: { email: user } })
    const person = account && (await personOf(account.id))
    if (!person)
      throw new McpgError('not_found', 'user_unknown', `There is no user ${user} who can sign in.`, { hint: 'mcpg-ctl get users' })
    if (person.accountId === signedIn.principal.accountId)
      throw new McpgError('invalid', 'impersonating_oneself', `${user} is who you are.`)
    await db.write((tx) => audit.record(tx, caller, 'impersonation.begin', { org, kind: 'User', name: user, uid: person.accountId }))
    active.set(signedIn.session.idSha256, { accountId: person.accountId, org, until: clock.now() + longestMs })
    return person
  }

  /** Ending it twice changes nothing. */
  async function end({ caller, signedIn }: Asking): Promise<void> {
    const session = signedIn?.session
    const found = session && active.get(session.idSha256)
    if (!session || !found) return
    active.delete(session.idSha256)
    await db.write((tx) => audit.record(tx, caller, 'impersonation.end', { org: found.org, kind: 'User', name: caller.subject }))
  }

  /** Who a request is of, with whoever acts for them beside it. */
  function authenticating(authenticate: Authenticate): Authenticate {
    return async (request) => {
      const found = await authenticate(request)
      const session = found?.session
      const now = session && active.get(session.idSha256)
      if (!now) return found
      const person = clock.now() < now.until ? await personOf(now.accountId) : null
      if (person && (await mayImpersonate(found.principal, now.org))) return { principal: person, session, impersonator: found.principal }
      active.delete(session.idSha256)
      return found
    }
  }
}

export type Asking = { caller: Caller; signedIn: Authenticated | null }
const endHint = 'DELETE /v1/auth/impersonate ends it'
