import { errors, jwtVerify, type JWTPayload } from 'jose'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { toleranceSeconds, type Issuer } from './issuer.ts'

/** Signatures that need no shared secret; `none` and HMAC are never among them. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

export type IdClaims = { subject: string; email: string | null; emailVerified: boolean | null; name: string | null; groups: string[] }

/** Verifies an id_token that somebody shows as a bearer: issuer, audience, authorized party, times, signature. Throws unauthenticated. */
export function idTokens({ issuer, clock }: { issuer: Issuer; clock: Clock }) {
  const { settings } = issuer
  return { verify }

  async function verify(token: string): Promise<IdClaims> {
    const { keys, configuration } = await issuer.known()
    const { payload } = await jwtVerify(token, keys, {
      issuer: configuration.serverMetadata().issuer,
      audience: settings.audiences,
      algorithms,
      clockTolerance: toleranceSeconds,
      currentDate: new Date(clock.now()),
      requiredClaims: ['sub', 'exp', 'iat'],
    }).catch((error: unknown) => {
      throw refusal(error)
    })
    if (payload.iat! > clock.now() / 1000 + toleranceSeconds) throw notYet()
    refuseOtherParty(payload)
    return claimsOf(payload)
  }

  /** With several audiences it must be said for whom the token was made. */
  function refuseOtherParty({ aud, azp }: JWTPayload): void {
    const isShared = Array.isArray(aud) && aud.length > 1
    if (azp === undefined ? !isShared : settings.audiences.includes(String(azp))) return
    throw refused('token_other_party', `The token was made for ${azp === undefined ? 'nobody by name' : 'another client'}.`)
  }

  function refusal(error: unknown): McpgError {
    if (error instanceof errors.JWTExpired) return refused('token_expired', 'Your sign-in is over.')
    if (error instanceof errors.JWTClaimValidationFailed) {
      if (error.claim === 'iss') return refused('token_other_issuer', `The token is not from ${settings.issuer}.`)
      if (error.claim === 'aud') return refused('token_other_audience', 'The token was made for another program than this control plane.')
      if (error.claim === 'nbf') return notYet()
      return refused('token_incomplete', `The token has no usable claim ${error.claim}.`)
    }
    if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed)
      return refused('token_signature', 'The signature of the token is not one of its issuer.')
    if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid)
      return refused('token_malformed', 'The token is not an id_token that can be verified.')
    return issuer.unreachable(error)
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

const refused = (reason: string, message: string): McpgError =>
  new McpgError('unauthenticated', reason, message, { hint: 'mcpg-ctl login' })

const notYet = (): McpgError =>
  new McpgError('unauthenticated', 'token_not_yet_valid', 'The token is from the future: two clocks differ by more than 60 s.', {
    hint: 'synchronize the clocks of the issuer and of this control plane',
  })
