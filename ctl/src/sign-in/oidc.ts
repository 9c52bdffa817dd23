import { McpgError } from '@mcpg/proto/errors'
import type { AuthStatus, Me } from '@mcpg/proto/rest/auth'
import type { Context } from '../context.ts'
import { signInByBrowser } from './browser-flow.ts'
import type { TokenCredential } from './credentials.ts'
import { signInByDevice } from './device-flow.ts'
import { issuerUrl, openIssuer, type IssuerNames } from './issuer.ts'
import { whoAmI } from './who-am-i.ts'

export type OidcOptions = { issuer?: string; clientId?: string; browser?: boolean; device?: boolean }

/**
 * Signs in through an issuer and shows the result to the control plane. `me` is null when that cannot be reached now; a sign-in that it
 * refuses is an error and is not kept.
 */
export async function signInThroughIssuer(
  context: Context,
  names: IssuerNames,
  { browser = true, device = false }: OidcOptions,
): Promise<{ credential: TokenCredential; me: Me | null }> {
  const issuer = await openIssuer(names)
  const credential = device ? await signInByDevice(context, issuer) : await signInByBrowser(context, issuer, { browser })
  const { createApi } = await import('../api/client.ts')
  const api = await createApi({ ...context, settings: { ...context.settings, token: credential.idToken } })
  const me = await whoAmI(api, credential.license, { retries: 0 }).catch((error: unknown) => {
    if (!isAway(error)) throw error
    context.say(`${(error as McpgError).message} The sign-in is kept and shown to it later.`)
    return null
  })
  return { credential, me }
}

/** Which issuer, under which client id: as typed, else as the control plane says. Throws where the two do not fit together. */
export function issuerOf({ issuer, clientId }: OidcOptions, status: AuthStatus | null, origin: string): IssuerNames | null {
  const own = status?.issuer
  if (issuer === undefined) return own ? { issuer: own.url, clientId: clientId ?? own.cliClientId } : null
  issuerUrl(issuer)
  if (status?.mode === 'local')
    throw new McpgError(
      'failed_precondition',
      'no_issuer_here',
      `Nobody signs in through an issuer at ${origin}: people have passwords there.`,
      {
        hint: 'leave out --issuer (MCPG_FED_ISSUER): mcpg-ctl login',
      },
    )
  if (own && own.url.replace(/\/$/, '') !== issuer.replace(/\/$/, ''))
    throw new McpgError('unauthenticated', 'other_issuer', `${origin} takes no sign-in of ${issuer}.`, {
      hint: `mcpg-ctl login --issuer ${own.url}`,
    })
  return { issuer: own?.url ?? issuer, clientId: clientId ?? own?.cliClientId ?? 'mcpg-ctl' }
}

const isAway = (error: unknown): boolean => error instanceof McpgError && error.code === 'unavailable'
