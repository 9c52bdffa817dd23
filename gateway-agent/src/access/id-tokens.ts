import { createHash } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import { endOf, IdTokenRefused, keysAmong, verifyIdToken, type TrustedIssuer } from '@mcpg/core/id-token'
import { accessPersonText, type AccessIssuer } from '@mcpg/proto/access-document'
import type { Made } from './access.ts'

/** Of whom a token is, by their key in the access document; `until` in milliseconds since 1970. */
export type Vouched = { key: string; until: number; made: Made }

/** Tokens of one issuer that were verified and need not be again. */
const keptTokens = 1_000

/**
 * Verifies id_tokens by the keys that the access document brought, asking nobody. A token is verified once: what is known of one is
 * forgotten with the keys it was verified by.
 */
export function idTokenReader({ clock }: { clock: Clock }) {
  const known = new WeakMap<AccessIssuer, { trusted: TrustedIssuer; verified: Map<string, Vouched> }>()
  return { read }

  /** At once for a token that is known. */
  function read(text: string, name: string, issuer: AccessIssuer): Vouched | IdTokenRefused | Promise<Vouched | IdTokenRefused> {
    let of = known.get(issuer)
    if (!of) {
      of = { trusted: { issuer: name, audiences: issuer.audiences, keys: keysAmong(issuer.keys) }, verified: new Map() }
      known.set(issuer, of)
    }
    const hash = sha256(text)
    const found = of.verified.get(hash)
    if (found && clock.now() < found.until) return found
    return verify(text, hash, of)
  }

  async function verify(
    text: string,
    hash: string,
    { trusted, verified }: { trusted: TrustedIssuer; verified: Map<string, Vouched> },
  ): Promise<Vouched | IdTokenRefused> {
    try {
      const { token, kid } = await verifyIdToken(text, trusted, clock.now())
      const { issuer } = trusted
      const vouched = { key: sha256(accessPersonText(issuer, token.sub)), until: endOf(token), made: { issuer, kid, iat: token.iat } }
      if (verified.size >= keptTokens) verified.delete(verified.keys().next().value!)
      verified.set(hash, vouched)
      return vouched
    } catch (error) {
      if (error instanceof IdTokenRefused) return error
      throw error
    }
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
