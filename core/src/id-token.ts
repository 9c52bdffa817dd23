import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'

/** Clocks of two machines may differ by this much, either way. */
export const toleranceSeconds = 60

/** Signatures that need no shared secret; `none` and HMAC are never among them. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

/** A public key of an issuer as JWK, its texts only. */
export type PublicKey = Record<string, string>
/** `issuer` is compared to the letter; a token counts that was made for one of the audiences. */
export type TrustedIssuer = { issuer: string; audiences: readonly string[]; keys: JWTVerifyGetKey }
export type IdToken = JWTPayload & { sub: string; exp: number; iat: number }

export type IdTokenFault =
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'token_other_issuer'
  | 'token_other_audience'
  | 'token_other_party'
  | 'token_incomplete'
  | 'token_signature'
  | 'token_malformed'
  | 'token_signed_out'

/** Why an id_token does not hold, in words for whoever showed it. */
export class IdTokenRefused extends Error {
  override name = 'IdTokenRefused'
  readonly reason: IdTokenFault

  constructor(reason: IdTokenFault, message: string) {
    super(message)
    this.reason = reason
  }
}

/**
 * Issuer, audience, authorized party, times and signature; `kid` is the name of the key that it was signed by. Throws IdTokenRefused, and whatever `keys` throws that has nothing to do with
 * the token.
 */
export async function verifyIdToken(
  text: string,
  { issuer, audiences, keys }: TrustedIssuer,
  nowMs: number,
): Promise<{ token: IdToken; kid: string | undefined }> {
  const { payload, protectedHeader } = await jwtVerify<IdToken>(text, keys, {
    issuer,
    audience: [...audiences],
    algorithms,
    clockTolerance: toleranceSeconds,
    currentDate: new Date(nowMs),
    requiredClaims: ['sub', 'exp', 'iat'],
  }).catch((error: unknown) => {
    throw refusal(error, issuer)
  })
  if (payload.iat > nowMs / 1000 + toleranceSeconds) throw notYet()
  refuseOtherParty(payload, audiences)
  return { token: payload, kid: protectedHeader.kid }
}

/** Until when it holds, in milliseconds since 1970. */
export const endOf = ({ exp }: Pick<IdToken, 'exp'>): number => (exp + toleranceSeconds) * 1000

/**
 * Whether a token counts no more because its person signed out everywhere (milliseconds since 1970). What was made in the same second does
 * not: `iat` tells no more.
 */
export const isSignedOut = ({ iat }: Pick<IdToken, 'iat'>, signedOutMs: number): boolean => iat * 1000 <= signedOutMs

export const signedOut = (): IdTokenRefused =>
  new IdTokenRefused('token_signed_out', 'Its person signed out everywhere after this token was made.')

/** The issuer that a token names, before anything is verified; undefined for what is no JWT. */
export function issuerNamed(text: string): string | undefined {
  if (text.split('.').length !== 3) return undefined
  try {
    return decodeJwt(text).iss
  } catch {
    return undefined
  }
}

/** The key that it names, likewise. */
export function keyNamed(text: string): string | undefined {
  try {
    return decodeProtectedHeader(text).kid
  } catch {
    return undefined
  }
}

export const keysAmong = (keys: readonly PublicKey[]): JWTVerifyGetKey => createLocalJWKSet({ keys: keys as never })

/** With several audiences it must be said for whom the token was made. */
function refuseOtherParty({ aud, azp }: JWTPayload, audiences: readonly string[]): void {
  const isShared = Array.isArray(aud) && aud.length > 1
  if (azp === undefined ? !isShared : audiences.includes(String(azp))) return
  throw new IdTokenRefused('token_other_party', `The token was made for ${azp === undefined ? 'nobody by name' : 'another client'}.`)
}

function refusal(error: unknown, issuer: string): unknown {
  if (error instanceof errors.JWTExpired) return new IdTokenRefused('token_expired', 'The token expired: your sign-in is over.')
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return new IdTokenRefused('token_other_issuer', `The token is not from ${issuer}.`)
    if (error.claim === 'aud') return new IdTokenRefused('token_other_audience', 'The token was made for another program than this one.')
    if (error.claim === 'nbf') return notYet()
    return new IdTokenRefused('token_incomplete', `The token has no usable claim ${error.claim}.`)
  }
  if (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JWSSignatureVerificationFailed
  )
    return new IdTokenRefused('token_signature', 'The signature of the token is not one of its issuer.')
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid)
    return new IdTokenRefused('token_malformed', 'The token is not an id_token that can be verified.')
  return error
}

const notYet = (): IdTokenRefused =>
  new IdTokenRefused('token_not_yet_valid', 'The token is from the future: two clocks differ by more than 60 s.')
