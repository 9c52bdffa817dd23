import * as oidc from 'openid-client'
import type { TokenCredential } from './credentials.ts'
import { issuerFailure, openIssuer } from './issuer.ts'

/** Takes the refresh token back at the issuer, where that is offered; the id_token ends by itself. Throws unavailable while the issuer is away. */
export async function revokeAtIssuer(kept: TokenCredential): Promise<void> {
  if (kept.refreshToken === null) return
  const { configuration } = await openIssuer(kept)
  if (!configuration.serverMetadata().revocation_endpoint) return
  await oidc.tokenRevocation(configuration, kept.refreshToken, { token_type_hint: 'refresh_token' }).catch((error: unknown) => {
    throw issuerFailure(error, kept)
  })
}
