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

/** Pairs of people that are remembered. */
const maxTold = 1_000

/**
 * Acting for somebody else: what both may do and nothing more, under both names. In one's own session until it is ended or for an hour;
 * it lives in memory, so a restart of the control plane ends it. Or with single requests, each of which names them; of these the first
 * of an hour is in the audit trail, and every change that they make.
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
  const told = new Map<string, number>() // until when, by who acts for whom
  return { begin, end, actFor, authenticating }

  async function begin({ caller, signedIn }: Asking, { user, org }: { user: string; org: string }): Promise<User> {
    refuseTwice({ caller, signedIn })
    if (!signedIn?.session || signedIn.principal.kind !== 'user')
      throw new McpgError(
        'failed_precondition',
        'session_needed',
        'Only somebody who signed in, with a session, can act for somebody else.',
        {
          hint: 'sign in with e-mail and password or through the console, or name them with every request (mcpg-ctl --as)',
        },
      )
    const person = await personFor(caller, signedIn.principal, { user, org })
    await record(caller, person, org)
    active.set(signedIn.session.idSha256, { accountId: person.accountId, org, until: clock.now() + longestMs })
    return person
  }

  /** For one request. Throws as `begin` does, but asks for no session. */
  async function actFor(
    { caller, signedIn }: { caller: Caller; signedIn: Authenticated },
    { user, org }: { user: string; org: string },
  ): Promise<Authenticated> {
    refuseTwice({ caller, signedIn })
    const person = await personFor(caller, signedIn.principal, { user, org })
    const pair = `${caller.subject} ${person.accountId} ${org}`
    const now = clock.now()
    if ((told.get(pair) ?? 0) <= now) {
      await record(caller, person, org)
      if (told.size >= maxTold) told.clear()
      told.set(pair, now + longestMs)
    }
    return { principal: person, session: null, impersonator: signedIn.principal }
  }

  function refuseTwice({ caller, signedIn }: Asking): void {
    if (signedIn?.impersonator || caller.impersonator !== undefined)
      throw new McpgError('failed_precondition', 'already_impersonating', `You act for ${caller.subject} already.`, { hint: endHint })
  }

  async function personFor(caller: Caller, principal: Principal, { user, org }: { user: string; org: string }): Promise<User> {
    if (!(await mayImpersonate(principal, org)))
      throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not do this: it needs the operation impersonate in ${org}.`)
    const account = await db.read.account.findUnique({ where: { email: user } })
    const person = account && (await personOf(account.id))
    if (!person)
      throw new McpgError('not_found', 'user_unknown', `There is no user ${user} who can sign in.`, { hint: 'mcpg-ctl get users' })
    if (principal.kind === 'user' && person.accountId === principal.accountId)
      throw new McpgError('invalid', 'impersonating_oneself', `${user} is who you are.`)
    return person
  }

  async function record(caller: Caller, { accountId, email }: User, org: string): Promise<void> {
    await db.write((tx) => audit.record(tx, caller, 'impersonation.begin', { org, kind: 'User', name: email, uid: accountId }))
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
