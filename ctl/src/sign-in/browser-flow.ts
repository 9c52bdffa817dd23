import { setTimeout as delay } from 'node:timers/promises'
import * as oidc from 'openid-client'
import { McpgError } from '@mcpg/proto/errors'
import type { Context } from '../context.ts'
import { Interrupted } from '../failure.ts'
import { openBrowser, whyNoBrowser } from '../local/browser.ts'
import type { TokenCredential } from './credentials.ts'
import { credentialOf, issuerFailure, type Issuer } from './issuer.ts'
import { listenForAnswer, type Loopback } from './loopback.ts'
import { pastedAnswer } from './pasted.ts'

/** How long somebody may take at the issuer. */
const patienceMs = 10 * 60_000

/**
 * Authorization code with PKCE, state and nonce. The answer comes to a loopback port; where no browser is opened here it may also be
 * pasted, since the browser may be on another machine.
 */
export async function signInByBrowser(context: Context, issuer: Issuer, { browser }: { browser: boolean }): Promise<TokenCredential> {
  const { env } = context
  const { configuration, scope } = issuer
  const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()]
  const loopback = await listenForAnswer(state)
  try {
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: loopback.redirectUri,
      scope,
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    env.stderr.write(`to sign in, open this address in a browser:\n  ${url.href}\n`)
    const isOpened = browser && whyNoBrowser(env) === null
    if (isOpened) openBrowser(url.href)
    else env.stderr.write('if that browser is on another machine, paste here the address where it ends, or the code in it:\n')
    const answer = await firstAnswer(context, loopback, isOpened ? null : state)
    const { issuer: itself, authorization_response_iss_parameter_supported: namesItself } = configuration.serverMetadata()
    // A bare code was typed in by the person, who knows where it is from; nonce and verifier still bind it.
    if (namesItself && !answer.has('iss') && answer.size === 2) answer.set('iss', itself)
    const tokens = await oidc.authorizationCodeGrant(configuration, new URL(`?${answer.toString()}`, loopback.redirectUri), {
      pkceCodeVerifier: verifier,
      expectedNonce: nonce,
      expectedState: state,
    })
    return await credentialOf(issuer, tokens)
  } catch (error) {
    throw error instanceof Interrupted ? error : issuerFailure(error, issuer)
  } finally {
    loopback.close()
  }
}

/** `pasteFor`: the state of the answer that may come by standard input, too. */
async function firstAnswer(
  { env, settings, globals, stopping }: Context,
  { answer }: Loopback,
  pasteFor: string | null,
): Promise<URLSearchParams> {
  const over = new AbortController()
  const signal = AbortSignal.any([over.signal, stopping])
  try {
    return await Promise.race([answer, ...(pasteFor !== null && globals.input ? [pastedAnswer(env, pasteFor, over.signal)] : []), gaveUp()])
  } finally {
    over.abort()
  }

  async function gaveUp(): Promise<never> {
    await delay(patienceMs, undefined, { signal }).catch(() => {
      throw new Interrupted()
    })
    throw new McpgError('timeout', 'sign_in_expired', 'Nobody signed in within ten minutes.', {
      hint: `mcpg-ctl login${settings.cpUrl ? ` --cp-url ${settings.cpUrl}` : ''}`,
    })
  }
}
