import { randomBytes } from 'node:crypto'
import * as oidc from 'openid-client'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db } from '../db/db.ts'
import { claimsOf, type IdClaims } from './id-token.ts'
import type { Issuer } from './issuer.ts'
import type { accountLinks } from './linking.ts'
import type { SignedIn } from './service.ts'
import type { Sessions } from './sessions.ts'

/** How long somebody may take at the issuer. */
const pendingMs = 10 * 60_000
/** Begun and not ended at once; the oldest goes. */
const maxPending = 10_000

type Pending = { nonce: string; verifier: string; browser: string; returnTo: string; at: number }
export type RelyingParty = ReturnType<typeof relyingParty>

/** Signs people in through their issuer: authorization code with PKCE, state and nonce, bound to the browser that began. */
export function relyingParty({
  issuer,
  links,
  sessions,
  db,
  audit,
  clock,
  redirectUri,
  joined,
  changed,
}: {
  issuer: Issuer
  links: ReturnType<typeof accountLinks>
  sessions: Sessions
  db: Pick<Db, 'write'>
  audit: Pick<Audit, 'record'>
  clock: Clock
  redirectUri: () => string
  joined: (account: { email: string; displayName: string | null }) => Promise<void>
  changed: () => void
}) {
  const pending = new Map<string, Pending>()
  return { begin, finish }

  /** Where to send the browser, and what to give it so that only it can come back. */
  async function begin(returnTo: string): Promise<{ url: string; browser: string }> {
    const { configuration } = await issuer.known()
    const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()]
    const browser = randomBytes(32).toString('base64url')
    if (pending.size >= maxPending) pending.delete(pending.keys().next().value!)
    pending.set(state, { nonce, verifier, browser, returnTo, at: clock.monotonic() })
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri(),
      scope: 'openid email profile groups',
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    return { url: url.href, browser }
  }

  /** `query` is what the issuer sent the browser back with. Throws McpgError in words for the person. */
  async function finish(caller: Caller, query: string, browser: string | undefined): Promise<SignedIn & { returnTo: string }> {
    const asked = new URLSearchParams(query)
    const begun = pending.get(asked.get('state') ?? '')
    pending.delete(asked.get('state') ?? '')
    if (!begun || begun.browser !== browser || clock.monotonic() - begun.at > pendingMs)
      throw new McpgError('failed_precondition', 'sign_in_stale', 'This sign-in was begun too long ago, or in another browser.', {
        hint: 'sign in again',
      })
    const { claims, groups } = await redeem(asked, begun)
    const signedIn = await db.write(async (tx) => {
      const account = await links.link(tx, claims)
      await tx.account.update({ where: { id: account.id }, data: { lastSignInAt: new Date(clock.now()).toISOString() } })
      const { id, times } = await sessions.create(tx, { accountId: account.id, mode: 'oidc', groups, source: caller.source })
      await audit.record(tx, caller, 'session.create', { kind: 'Session', name: account.email, uid: account.id })
      return {
        sessionId: id,
        times,
        user: links.userOf(account, groups),
        displayName: account.displayName,
        returnTo: begun.returnTo,
      }
    })
    changed()
    await joined({ email: signedIn.user.email, displayName: signedIn.displayName })
    return signedIn
  }

  async function redeem(asked: URLSearchParams, begun: Pending): Promise<{ claims: IdClaims; groups: string[] }> {
    const { configuration } = await issuer.known()
    const url = new URL(redirectUri())
    url.search = asked.toString()
    try {
      const tokens = await oidc.authorizationCodeGrant(configuration, url, {
        pkceCodeVerifier: begun.verifier,
        expectedNonce: begun.nonce,
        expectedState: asked.get('state')!,
        idTokenExpected: true,
      })
      const own = tokens.claims()!
      const needsMore = own['email'] === undefined || own['groups'] === undefined
      const more = needsMore && configuration.serverMetadata().userinfo_endpoint
      const info = more ? await oidc.fetchUserInfo(configuration, tokens.access_token, own.sub) : {}
      const claims = claimsOf({ ...info, ...own })
      return { claims, groups: claims.groups }
    } catch (error) {
      throw told(error)
    }
  }

  function told(error: unknown): McpgError {
    if (error instanceof oidc.AuthorizationResponseError)
      return new McpgError(
        'forbidden',
        error.error === 'access_denied' ? 'sign_in_declined' : 'sign_in_refused',
        error.error === 'access_denied'
          ? 'The sign-in was declined at the issuer.'
          : `The issuer refused the sign-in: ${error.error_description ?? error.error}.`,
        { hint: 'sign in again', cause: error },
      )
    if (error instanceof oidc.ResponseBodyError)
      return new McpgError(
        'forbidden',
        'sign_in_refused',
        `The issuer did not redeem the sign-in: ${error.error_description ?? error.error}.`,
        {
          hint: 'sign in again; whoever runs this control plane checks --oidc-client-id and --oidc-client-secret-file',
          cause: error,
        },
      )
    if (error instanceof oidc.ClientError && /timestamp|expir|"iat"|"exp"|claim value/i.test(`${error.code} ${error.message}`))
      return new McpgError('forbidden', 'sign_in_not_valid', `What the issuer answered does not hold: ${error.message}.`, {
        hint: 'compare the clocks of the issuer and of this control plane',
        cause: error,
      })
    return issuer.unreachable(error)
  }
}
