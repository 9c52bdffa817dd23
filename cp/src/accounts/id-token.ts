import type { Clock } from '@mcpg/core/clock'
import { IdTokenRefused, verifyIdToken, type IdToken } from '@mcpg/core/id-token'
import { McpgError } from '@mcpg/proto/errors'
import type { Issuer } from './issuer.ts'

export type IdClaims = { subject: string; email: string | null; emailVerified: boolean | null; name: string | null; groups: string[] }

/** Verifies an id_token that somebody shows as a bearer. Throws unauthenticated, and unavailable while the issuer does not answer. */
export function idTokens({ issuer, clock }: { issuer: Issuer; clock: Clock }) {
  const { audiences } = issuer.settings
  return { verify }

  async function verify(token: string): Promise<IdToken> {
    const { keys, name } = await issuer.known()
    const verified = await verifyIdToken(token, { issuer: name, audiences, keys }, clock.now()).catch((error: unknown) => {
      throw error instanceof IdTokenRefused ? refused(error) : issuer.unreachable(error)
    })
    return verified.token
  }
}

/** What we read of the claims of an id_token or of userinfo. */
export function claimsOf(payload: Record<string, unknown>): IdClaims {
  const { sub, email, email_verified: verified, name, groups } = payload
  return {
    subject: String(sub),
    email: typeof email === 'string' ? email.trim().toLowerCase() : null,
    emailVerified: typeof verified === 'boolean' ? verified : null,
    name: typeof name === 'string' ? name : null,
    groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
  }
}

export const refused = ({ reason, message }: IdTokenRefused): McpgError =>
  new McpgError('unauthenticated', reason, message, {
    hint: reason === 'token_not_yet_valid' ? 'synchronize the clocks of the issuer and of this control plane' : 'mcpg-ctl login',
  })
