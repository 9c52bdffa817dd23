import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Principal } from '../access/principal.ts'
import { ownGrants } from './ceiling.ts'
import { stateOf } from './resource.ts'
import { sha256Of } from './secret.ts'
import type { Owner, Token, TokenStore } from './store.ts'

/** Reads bearers of our own. Throws unauthenticated for one that stopped, with the reason: only who holds it hears it. */
export function tokenBearer({
  store,
  clock,
  personOf,
  onUse,
}: {
  store: Pick<TokenStore, 'findBySha256'>
  clock: Clock
  personOf: (owner: Owner) => Promise<Principal | null>
  onUse: (token: Token) => void
}): (text: string) => Promise<Principal | null> {
  return async (text) => {
    if (!text.startsWith('mcpg_pat_')) return null
    const token = await store.findBySha256(sha256Of(text))
    if (!token) throw refused('token_unknown', 'This token is none of this control plane, or was deleted.')
    const state = stateOf(token, clock.now())
    if (state === 'revoked') throw refused('token_revoked', `The token ${token.name} was revoked at ${token.revokedAt}.`)
    if (state === 'expired') throw refused('token_expired', `The token ${token.name} expired at ${token.expiresAt}.`)
    const owner = await personOf(token.owner)
    if (!owner) throw refused('token_orphaned', `Whoever made the token ${token.name} is nobody any more.`)
    onUse(token)
    return { kind: 'token', tokenId: token.id, owner, grants: ownGrants(token) }
  }
}

const refused = (reason: string, message: string): McpgError =>
  new McpgError('unauthenticated', reason, message, { hint: 'make another: mcpg-ctl token create <name>' })
