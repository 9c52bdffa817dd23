import * as oidc from 'openid-client'
import { McpgError } from '@mcpg/proto/errors'
import { lockCredentials, tryLockCredentials } from './credentials-lock.ts'
import { isPast, readCredential, replaceCredential, type Credential, type TokenCredential } from './credentials.ts'
import { credentialOf, issuerFailure, openIssuer } from './issuer.ts'

/**
 * The sign-in in place of `stale`: refreshed, or what another process has made of it meanwhile. One process at a time asks the issuer,
 * since a refresh token that is shown twice ends the sign-in at many issuers. While the id_token still holds nobody waits, neither for
 * another process nor for an issuer that is away. A refresh token that the issuer refuses is forgotten, so that it is asked once.
 */
export async function refresh(stateDir: string, url: string, stale: TokenCredential): Promise<Credential | null> {
  const release = await (isPast(stale) ? lockCredentials(stateDir) : tryLockCredentials(stateDir))
  if (!release) return stale
  try {
    const kept = await readCredential(stateDir, url)
    if (kept?.kind !== 'tokens' || kept.idToken !== stale.idToken || kept.refreshToken === null) return kept
    const next = await askIssuer(kept, kept.refreshToken)
    await replaceCredential(stateDir, url, next)
    return next
  } catch (error) {
    if (error instanceof McpgError && error.code === 'unavailable' && !isPast(stale)) return stale
    throw error
  } finally {
    release()
  }
}

async function askIssuer(kept: TokenCredential, refreshToken: string): Promise<TokenCredential> {
  const issuer = await openIssuer(kept)
  try {
    return await credentialOf(issuer, await oidc.refreshTokenGrant(issuer.configuration, refreshToken), kept)
  } catch (error) {
    if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant') return { ...kept, refreshToken: null }
    throw issuerFailure(error, kept)
  }
}
