import { randomUUID } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { AuthMode, BootstrapRequest, ChangePasswordRequest, SignInRequest } from '@mcpg/proto/rest/auth'
import type { Authenticated, Principal } from '../access/principal.ts'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db, Tx } from '../db/db.ts'
import { guessingLimits } from './guessing.ts'
import { passwords } from './password.ts'
import type { Sessions, SessionTimes } from './sessions.ts'
import type { SetupCode } from './setup-code.ts'

export type User = Extract<Principal, { kind: 'user' }>
/** What a sign-in gives: the cookie's value, and who it is of. */
export type SignedIn = { sessionId: string; times: SessionTimes; user: User; displayName: string | null }
export type Accounts = ReturnType<typeof accountService>

/** People of this installation and how they come in with a password. */
export function accountService({
  db,
  audit,
  clock,
  mode,
  sessions,
  setup,
  joined,
  changed,
}: {
  db: Pick<Db, 'read' | 'write'>
  audit: Pick<Audit, 'record'>
  clock: Clock
  mode: AuthMode
  sessions: Sessions
  setup: SetupCode
  /** Told of everybody who gets an account. */
  joined: (account: { email: string; displayName: string | null }) => Promise<void>
  /** Told when an account is gone, or what counts of its sign-ins is another. */
  changed: () => void
}) {
  const secrets = passwords()
  const guesses = guessingLimits({ clock })
  return { needsSetup, bootstrap, login, logout, changePassword, find, setPassword, setPlatformAdmin, remove }

  /** True while the first user of mode `local` is missing. */
  async function needsSetup(): Promise<boolean> {
    return mode === 'local' && (await db.read.account.count()) === 0
  }

  /** Creates the first user, a platform admin, and signs in. Throws forbidden for a wrong code and conflict once there is a user. */
  async function bootstrap(caller: Caller, { setupCode, email, password, displayName }: BootstrapRequest): Promise<SignedIn> {
    requireLocal()
    if (!(await needsSetup())) throw alreadySetUp()
    const isRight = await guesses.attempt('setup code', caller.source, async () => (await setup.matches(setupCode)) || null)
    if (!isRight) {
      await refused(caller, 'account.bootstrap', email)
      throw new McpgError('forbidden', 'setup_code_wrong', 'This is not the setup code of this control plane.', {
        hint: 'it was printed at the start of the control plane and stands in the file setup-code of its state dir',
      })
    }
    const passwordHash = await secrets.hash(password)
    const signedIn = await db.write(async (tx) => {
      if ((await tx.account.count()) > 0) throw alreadySetUp()
      const account = await tx.account.create({
        data: { id: randomUUID(), email, displayName: displayName ?? null, passwordHash, platformAdmin: true, createdAt: now() },
      })
      await audit.record(tx, caller, 'account.bootstrap', { kind: 'Account', name: email, uid: account.id })
      return await begin(tx, caller, account)
    })
    await setup.forget()
    await joined({ email, displayName: displayName ?? null })
    return signedIn
  }

  /** Throws unauthenticated for an unknown e-mail and a wrong password alike, after the same time. */
  async function login(caller: Caller, { email, password }: SignInRequest): Promise<SignedIn> {
    requireLocal()
    const account = await db.read.account.findUnique({ where: { email } })
    const isRight = await guesses.attempt(
      email,
      caller.source,
      async () => (await secrets.matches(account?.passwordHash ?? null, password)) || null,
    )
    if (!account || !isRight) {
      await refused(caller, 'session.refuse', email)
      throw new McpgError('unauthenticated', 'wrong_credentials', 'This e-mail and password do not belong together.', {
        hint: (await needsSetup()) ? 'there is no user yet: the setup code creates the first one' : 'check both and try again',
      })
    }
    return await db.write((tx) => begin(tx, caller, account))
  }

  /**
   * Ends the session of the cookie; or every session of its user, and what their issuer made until now, but nobody else's where one acts for
   * another. By bearer there is none to end, but may be others.
   */
  async function logout(caller: Caller, signedIn: Authenticated | null, everywhere: boolean): Promise<void> {
    const session = signedIn?.session ?? null
    const principal = signedIn?.impersonator ?? signedIn?.principal
    if (principal?.kind !== 'user' || !(session || everywhere)) return
    // Whoever acts for somebody else ends their own.
    const id = session?.accountId ?? principal.accountId
    await db.write(async (tx) => {
      if (everywhere) {
        await sessions.endAll(tx, id)
        await tx.account.updateMany({ where: { id }, data: { signedOutAt: now() } })
      } else await sessions.end(tx, session!.idSha256)
      await audit.record(tx, caller, everywhere ? 'session.delete-all' : 'session.delete', { kind: 'Session', name: caller.subject })
    })
    if (everywhere) changed()
  }

  /**
   * Ends every session of the user, this one too, and begins a new one. Throws forbidden for a wrong password of today, which is counted
   * with the failures to sign in, and for whoever signed in without one.
   */
  async function changePassword(
    caller: Caller,
    signedIn: Authenticated | null,
    { password, newPassword }: ChangePasswordRequest,
  ): Promise<SignedIn> {
    requireLocal()
    if (signedIn?.principal.kind !== 'user' || !signedIn.session || signedIn.impersonator)
      throw new McpgError('forbidden', 'no_session', 'Only somebody who signed in with their password may change it.', {
        hint: 'mcpg-ctl login',
      })
    const account = await db.read.account.findUnique({ where: { id: signedIn.principal.accountId } })
    if (!account) throw wrongPassword()
    const { id, email, passwordHash: before } = account
    const isRight = await guesses.attempt(email, caller.source, async () => (await secrets.matches(before, password)) || null)
    if (!isRight) {
      await refused(caller, 'account.change-password', email)
      throw wrongPassword()
    }
    const passwordHash = await secrets.hash(newPassword)
    return await db.write(async (tx) => {
      // Of two changes at once the second one knows a password of yesterday.
      const { count } = await tx.account.updateMany({ where: { id, passwordHash: before }, data: { passwordHash } })
      if (count === 0) throw wrongPassword()
      await sessions.endAll(tx, id)
      await audit.record(tx, caller, 'account.change-password', { kind: 'Account', name: email, uid: id })
      return await begin(tx, caller, account)
    })
  }

  /** Somebody who has no account gets one with it; who was signed in is not any more. */
  async function setPassword(
    caller: Caller,
    { email, password, displayName }: { email: string; password: string; displayName: string | undefined },
  ): Promise<void> {
    requireLocal()
    const passwordHash = await secrets.hash(password)
    await db.write(async (tx) => {
      const known = await tx.account.findUnique({ where: { email } })
      const account = known
        ? await tx.account.update({ where: { id: known.id }, data: { passwordHash } })
        : await tx.account.create({ data: { id: randomUUID(), email, displayName: displayName ?? null, passwordHash, createdAt: now() } })
      await sessions.endAll(tx, account.id)
      await audit.record(tx, caller, 'account.set-password', { kind: 'Account', name: email, uid: account.id })
    })
  }

  /** No account is no failure; the last admin of the installation stays one. */
  async function setPlatformAdmin(caller: Caller, email: string, platformAdmin: boolean): Promise<void> {
    await db.write(async (tx) => {
      const account = await tx.account.findUnique({ where: { email } })
      if (!account || account.platformAdmin === platformAdmin) return
      if (!platformAdmin && (await tx.account.count({ where: { platformAdmin: true, NOT: { id: account.id } } })) === 0)
        throw lastAdmin(email)
      await tx.account.update({ where: { id: account.id }, data: { platformAdmin } })
      await audit.record(tx, caller, 'account.set-platform-admin', {
        kind: 'Account',
        name: email,
        uid: account.id,
        detail: { platformAdmin },
      })
    })
    changed()
  }

  /** With every session; no account is no failure. */
  async function remove(email: string): Promise<void> {
    await db.write(async (tx) => {
      const account = await tx.account.findUnique({ where: { email } })
      if (!account) return
      await sessions.endAll(tx, account.id)
      await tx.account.delete({ where: { id: account.id } })
    })
    changed()
  }

  async function find(accountId: string): Promise<Account | null> {
    return await db.read.account.findUnique({ where: { id: accountId } })
  }

  /** Always a new id: one that somebody planted in the browser before is worth nothing. */
  async function begin(tx: Tx, caller: Caller, account: Account): Promise<SignedIn> {
    await tx.account.update({ where: { id: account.id }, data: { lastSignInAt: now() } })
    const { id, times } = await sessions.create(tx, { accountId: account.id, mode: 'local', groups: [], source: caller.source })
    await audit.record(tx, caller, 'session.create', { kind: 'Session', name: account.email, uid: account.id })
    return { sessionId: id, times, user: localUser(account), displayName: account.displayName }
  }

  async function refused(caller: Caller, action: string, email: string): Promise<void> {
    await db.write((tx) => audit.record(tx, caller, action, { kind: 'Account', name: email, detail: { refused: true } }))
  }

  function requireLocal(): void {
    if (mode === 'local') return
    throw new McpgError('failed_precondition', 'no_passwords_here', `Nobody signs in with a password here: the mode is ${mode}.`, {
      hint: mode === 'oidc' ? 'mcpg-ctl login goes to the issuer' : 'nothing to do: everybody who reaches this control plane may use it',
    })
  }

  function now(): string {
    return new Date(clock.now()).toISOString()
  }
}

export type Account = {
  id: string
  email: string
  displayName: string | null
  subject: string | null
  platformAdmin: boolean
  /** JSON list of what the issuer named last. */
  groups: string
  /** RFC 3339: when they signed out everywhere last. */
  signedOutAt: string | null
}

export const localUser = ({ id, email, platformAdmin }: Account): User => ({
  kind: 'user',
  accountId: id,
  email,
  groups: [],
  platformAdmin,
})

export const lastAdmin = (email: string): McpgError =>
  new McpgError('failed_precondition', 'last_admin', `${email} is the last admin of this installation.`, {
    hint: 'nobody could set anything right any more; make somebody else one first: mcpg-ctl patch user <e-mail> platformAdmin=true',
  })

const wrongPassword = (): McpgError =>
  new McpgError('forbidden', 'wrong_password', 'This is not your password of today.', { hint: 'check it and try again' })

const alreadySetUp = (): McpgError =>
  new McpgError('conflict', 'already_set_up', 'The first user exists already.', { hint: 'sign in: mcpg-ctl login' })
