import { McpgError } from '@mcpg/proto/errors'
import type { Context } from '../context.ts'
import { keepCredential, readCredential, type TokenCredential } from '../sign-in/credentials.ts'

/**
 * Ends the session at the control plane, or takes the tokens back at their issuer, and forgets the sign-in here; when neither can be
 * reached it is forgotten all the same.
 */
export async function run(context: Context, _args: string[], { everywhere = false }: { everywhere?: boolean }): Promise<void> {
  const { settings, print, say } = context
  const api = await context.api()
  const { origin } = new URL(api.url)
  const isGiven = settings.sessionCookie !== undefined || settings.token !== undefined
  const kept = isGiven ? null : await readCredential(settings.stateDir, api.url)
  if (!kept && !isGiven) return say(`nothing to do: nobody is signed in at ${origin}`)
  // Of tokens the control plane keeps nothing; it is asked for the sessions of this person's browsers only.
  if (kept?.kind !== 'tokens' || everywhere) {
    try {
      await api.call('POST', '/v1/auth/logout', { body: { everywhere } })
    } catch (error) {
      const isOver = error instanceof McpgError && (error.code === 'unauthenticated' || error.code === 'unavailable')
      if (!isOver || isGiven) throw error
      if (error.code === 'unavailable') say(`${error.message} The session there ends by itself.`)
    }
  }
  if (kept?.kind === 'tokens') await revoke(context, kept)
  if (kept) await keepCredential(settings.stateDir, api.url, null)
  if (settings.output === 'json') return print(JSON.stringify({ controlPlane: origin, signedOut: true, everywhere }))
  print(`signed out of ${origin}${everywhere ? ', everywhere' : ''}`)
}

async function revoke({ say }: Context, kept: TokenCredential): Promise<void> {
  const { revokeAtIssuer } = await import('../sign-in/revoke.ts')
  await revokeAtIssuer(kept).catch((error: unknown) => {
    if (!(error instanceof McpgError)) throw error
    say(`${error.message} What it gave is forgotten here and ends there by itself.`)
  })
}
