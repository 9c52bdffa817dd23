import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Audit } from '../audit/audit.ts'
import type { Db } from '../db/db.ts'
import type { BearerReader } from './authenticate.ts'
import { idTokens } from './id-token.ts'
import { openIdIssuer, type OidcSettings } from './issuer.ts'
import { accountLinks } from './linking.ts'
import { relyingParty } from './relying-party.ts'
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
    publicUrl: () => string
  },
) {
  const { db, clock, publicUrl } = about
  const issuer = openIdIssuer({ settings, clock, log: about.log })
  const links = accountLinks({ db, clock, settings })
  const tokens = idTokens({ issuer, clock })
  void issuer.look()
  const bearer: BearerReader = async (token) => {
    if (token.split('.').length !== 3) return null
    const claims = await tokens.verify(token)
    const account = await links.linked(claims)
    await about.joined(account)
    return links.userOf(account, claims.groups)
  }
  const party = relyingParty({ ...about, issuer, links, redirectUri: () => `${publicUrl()}/v1/auth/oidc/callback` })
  return { bearer, party, userOf: links.userOf, shown: { url: settings.issuer, cliClientId } }
}
