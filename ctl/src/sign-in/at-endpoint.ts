import { isLoopbackHost } from '@mcpg/core/http-guard'
import { controlPlaneConnection } from '../api/client.ts'
import type { Connection } from '../api/connection.ts'
import type { Context } from '../context.ts'
import { listCredentials } from './credentials.ts'
import { keptSignIn } from './shown.ts'

/**
 * Shows an endpoint that wants a token the id_token of our sign-in, looked at for every request, since a bridge outlives many. Where nobody
 * is asked for one nothing is shown, as one that is over would be refused there. It goes to this machine, or by https where the command
 * names the control plane that the endpoint is of: what one of them gave is nothing for others.
 */
export function signedInAt({ settings, say }: Context, { url, fetch }: Connection, { isLocal }: { isLocal: boolean }): Connection {
  const { hostname, protocol, origin } = new URL(url)
  const mayBeShown = isLocal || isLoopbackHost(hostname) || (protocol === 'https:' && settings.cpUrl !== undefined)
  let isWanted = false
  let hasSaid = false
  return { url, fetch: showing }

  async function showing(...[input, init = {}]: Parameters<typeof fetch>): Promise<Response> {
    if (!isWanted) {
      const answer = await fetch(input, init)
      if (answer.status !== 401 || !(await hasToken())) return answer
      isWanted = true
      await answer.body?.cancel()
    }
    const token = await idToken()
    const headers = new Headers(init.headers)
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    return fetch(input, { ...init, headers })
  }

  async function hasToken(): Promise<boolean> {
    if (mayBeShown) return (await idToken()) !== undefined
    if (!hasSaid && (await listCredentials(settings.stateDir)).some(({ kind }) => kind === 'tokens'))
      say(`Your sign-in was not shown to ${origin}: name the control plane of this gateway, over https (--cp-url, MCPG_CP_URL).`)
    hasSaid = true
    return false
  }

  async function idToken(): Promise<string | undefined> {
    const kept = await keptSignIn(settings.stateDir, (await controlPlaneConnection(settings)).url)
    // A session is between a browser, or this command line, and its control plane.
    return kept?.kind === 'tokens' ? kept.idToken : undefined
  }
}
