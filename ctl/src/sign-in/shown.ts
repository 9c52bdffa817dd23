import { McpgError } from '@mcpg/proto/errors'
import { actForHeader, actForOrgHeader } from '@mcpg/proto/rest/auth'
import type { Settings } from '../settings.ts'
import { isPast, readCredential, type Credential } from './credentials.ts'

/** Tokens are refreshed this long before the id_token ends, so that none ends on its way. */
const earlyMs = 60_000

/**
 * The headers that show a control plane who we are. What was given for this command counts alone; else the sign-in that was kept for
 * this control plane, looked at for every request, since a command may outlive its tokens. With --as they also say whom the request is
 * made for. Throws unauthenticated once the sign-in is over.
 */
export async function shownCredential(settings: Settings, url: string): Promise<Record<string, string>> {
  const { as, org } = settings
  return { ...(await ownCredential(settings, url)), ...(as && { [actForHeader]: as, [actForOrgHeader]: org }) }
}

async function ownCredential({ token, sessionCookie, stateDir }: Settings, url: string): Promise<Record<string, string>> {
  if (token) return { authorization: `Bearer ${token}` }
  if (sessionCookie) return bySession(sessionCookie)
  const kept = await keptSignIn(stateDir, url)
  if (kept === null) return {}
  return kept.kind === 'session' ? bySession(kept.cookie) : { authorization: `Bearer ${kept.idToken}` }
}

/** What was kept for this control plane, refreshed when it is about to end. Throws unauthenticated once it is over. */
export async function keptSignIn(stateDir: string, url: string): Promise<Credential | null> {
  let kept = await readCredential(stateDir, url)
  if (kept?.kind === 'tokens' && kept.refreshToken !== null && Date.parse(kept.expiresAt) - Date.now() <= earlyMs) {
    // Loaded when it is needed: it brings the client of the issuer.
    const { refresh } = await import('./refresh.ts')
    kept = await refresh(stateDir, url, kept)
  }
  if (kept?.kind === 'tokens' && isPast(kept) && kept.refreshToken === null)
    throw new McpgError('unauthenticated', 'sign_in_over', `Your sign-in through ${kept.issuer} is over.`, {
      hint: `mcpg-ctl login --issuer ${kept.issuer}`,
    })
  return kept
}

const bySession = (cookie: string) => ({ cookie: `mcpg_sid=${cookie}`, 'x-mcpg-request': '1' })
