import * as oidc from 'openid-client'
import { isLoopbackHost } from '@mcpg/core/http-guard'
import { safeFetch } from '@mcpg/core/safe-fetch'
import { McpgError } from '@mcpg/proto/errors'
import type { TokenCredential } from './credentials.ts'

/** Clocks of two machines may differ by this much, either way. */
const toleranceSeconds = 60
/** What we would like to know; `offline_access` brings the token that refreshes. */
const scopes = ['openid', 'email', 'profile', 'groups', 'offline_access']

export type IssuerNames = { issuer: string; clientId: string }
export type Issuer = IssuerNames & { configuration: oidc.Configuration; scope: string }

/** Looks the issuer up. Throws invalid for what is no usable URL and unavailable where no OpenID issuer answers. */
export async function openIssuer({ issuer, clientId }: IssuerNames): Promise<Issuer> {
  const named = issuerUrl(issuer)
  const fetch = safeFetch(named) as oidc.CustomFetch
  try {
    const configuration = await oidc.discovery(named, clientId, { [oidc.clockTolerance]: toleranceSeconds }, oidc.None(), {
      [oidc.customFetch]: fetch,
      // Plain http is for loopback only, and safeFetch sees to that.
      execute: named.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
    })
    configuration[oidc.customFetch] = fetch
    const { scopes_supported: supported } = configuration.serverMetadata()
    const scope = scopes.filter((one) => one === 'openid' || !supported || supported.includes(one)).join(' ')
    return { issuer, clientId, configuration, scope }
  } catch (error) {
    throw issuerFailure(error, { issuer, clientId })
  }
}

/**
 * What the issuer gave, as it is kept. The license stands in the id_token, or only where the issuer tells about its users. A clock of ours
 * that is late does not make the id_token live longer: its life counts from now.
 */
export async function credentialOf(
  { issuer, clientId, configuration }: Issuer,
  tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers,
  before?: TokenCredential,
): Promise<TokenCredential> {
  const claims = tokens.claims()
  if (!claims || !tokens.id_token)
    throw new McpgError('failed_precondition', 'no_id_token', `${issuer} gave no id_token.`, {
      hint: `whoever runs the issuer lets the client ${clientId} ask for the scope openid`,
    })
  const isTold = claims['license'] !== undefined || !configuration.serverMetadata().userinfo_endpoint
  const more = isTold ? {} : await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub).catch(() => ({}))
  const { email, license } = { email: undefined, license: undefined, ...more, ...claims } as { email?: unknown; license?: unknown }
  return {
    kind: 'tokens',
    issuer,
    clientId,
    subject: claims.sub,
    email: typeof email === 'string' ? email.toLowerCase() : (before?.email ?? null),
    idToken: tokens.id_token,
    refreshToken: tokens.refresh_token ?? before?.refreshToken ?? null,
    license: typeof license === 'string' ? license : null,
    expiresAt: new Date(Math.min(claims.exp * 1000, Date.now() + (claims.exp - claims.iat) * 1000)).toISOString(),
  }
}

/** A failure on the way through the issuer, in words for the person. */
export function issuerFailure(error: unknown, { issuer, clientId }: IssuerNames): Error {
  if (error instanceof McpgError) return error
  if (error instanceof oidc.AuthorizationResponseError) return refusal(error.error, error.error_description, error)
  if (error instanceof oidc.ResponseBodyError) return refusal(error.error, error.error_description, error)
  if (error instanceof oidc.ClientError && /JWT_TIMESTAMP|JWT_CLAIM/.test(error.code ?? ''))
    return new McpgError('unauthenticated', 'sign_in_not_valid', `What ${issuer} answered does not hold: ${error.message}.`, {
      hint: 'compare the clocks of the issuer and of this machine',
    })
  return new McpgError('unavailable', 'issuer_unreachable', `${issuer} does not answer as an OpenID issuer.`, {
    cause: error,
    hint: 'try again in a moment; check --issuer (MCPG_FED_ISSUER), the network and the certificate of that address',
  })

  function refusal(code: string, description: string | undefined, cause: Error): McpgError {
    const what = description ?? code
    if (code === 'access_denied')
      return new McpgError('forbidden', 'sign_in_declined', `The sign-in was declined at ${issuer}.`, { hint: 'mcpg-ctl login' })
    if (code === 'expired_token') return codeExpired(cause)
    const isOurs = ['invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'].includes(code)
    return new McpgError('forbidden', 'sign_in_refused', `${issuer} refused the sign-in: ${what}.`, {
      hint: isOurs ? `whoever runs the issuer allows this to the client ${clientId} (--client-id)` : 'mcpg-ctl login',
      ...(what === cause.message ? {} : { cause }),
    })
  }
}

export const codeExpired = (cause: unknown): McpgError =>
  new McpgError('timeout', 'sign_in_expired', 'Nobody signed in with this code in time.', { cause, hint: 'mcpg-ctl login --device' })

/** Throws invalid for what is no usable URL of an issuer. */
export function issuerUrl(issuer: string): URL {
  const url = URL.canParse(issuer) ? new URL(issuer) : null
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname))
  if (url && isSafe && !url.search && !url.hash && !url.username) return url
  throw new McpgError('invalid', 'malformed_url', `"${issuer}" is not the URL of an issuer.`, {
    hint: 'write it like https://sign-in.example.com, without query and credentials (--issuer, MCPG_FED_ISSUER); http is for loopback only',
  })
}
