import type { Clock } from '@mcpg/core/clock'
import { isSignedOut, signedOut, type PublicKey } from '@mcpg/core/id-token'
import type { Log } from '@mcpg/core/log'
import type { Audit } from '../audit/audit.ts'
import type { Db } from '../db/db.ts'
import type { BearerReader } from './authenticate.ts'
import { claimsOf, idTokens, refused } from './id-token.ts'
import { issuerKeys } from './issuer-keys.ts'
import { openIdIssuer, type OidcSettings } from './issuer.ts'
import { accountLinks } from './linking.ts'
import { relyingParty } from './relying-party.ts'
import type { User } from './service.ts'
import type { Sessions } from './sessions.ts'

/** Client id under which `mcpg-ctl login` goes to the issuer. */
const cliClientId = 'mcpg-ctl'

/** Everything of mode `oidc`: the way of a browser, and id_tokens as bearers. Looks for the issuer at once and does not wait for it. */
export function oidcRoom(
  settings: OidcSettings,
  about: {
    db: Pick<Db, 'read' | 'write'>
    audit: Pick<Audit, 'record'>
    clock: Clock
    log: Pick<Log, 'warn'>
    sessions: Sessions
    /** Told of everybody who signs in, as accounts come with the first time. */
    joined: (account: { email: string; displayName: string | null }) => Promise<void>
    /** Told when an account is new or another. */
    changed: () => void
    publicUrl: () => string
  },
) {
  const { db, clock, publicUrl } = about
  const issuer = openIdIssuer({ settings, clock, log: about.log })
  const links = accountLinks({ db, clock, settings, changed: about.changed })
  const tokens = idTokens({ issuer, clock })
  const keys = issuerKeys({ db, issuer, clock, log: about.log })
  keys.onChange(about.changed)
  void issuer.look()
  const bearer: BearerReader = async (token) => {
    if (token.split('.').length !== 3) return null
    const verified = await tokens.verify(token)
    const claims = claimsOf(verified)
    const account = await links.linked(claims)
    if (account.signedOutAt !== null && isSignedOut(verified, Date.parse(account.signedOutAt))) throw refused(signedOut())
    await about.joined(account)
    return links.userOf(account, claims.groups)
  }
  const party = relyingParty({ ...about, issuer, links, redirectUri: () => `${publicUrl()}/v1/auth/oidc/callback` })
  return {
    bearer,
    party,
    userOf: links.userOf,
    shown: { url: settings.issuer, cliClientId },
    part: keys.part,
    vouched,
    keysWanted: keys.wanted,
  }

  /** What gateways need to take the issuer's word; null before its keys were ever fetched. */
  async function vouched(): Promise<Vouched | null> {
    const known = await keys.known()
    if (!known) return null
    const accounts = await db.read.account.findMany({ where: { issuer: settings.issuer, subject: { not: null } } })
    const people = accounts.map((account) => ({
      subject: account.subject!,
      user: links.userOf(account, JSON.parse(account.groups) as string[]),
      signedOut: account.signedOutAt === null ? null : Date.parse(account.signedOutAt),
    }))
    return { issuer: known.name, audiences: settings.audiences, keys: known.keys, people }
  }
}

/** People by the subject that the issuer calls them; `signedOut` in milliseconds since 1970. */
export type Vouched = {
  issuer: string
  audiences: readonly string[]
  keys: readonly PublicKey[]
  people: readonly { subject: string; user: User; signedOut: number | null }[]
}
