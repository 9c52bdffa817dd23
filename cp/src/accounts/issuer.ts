import { createRemoteJWKSet, customFetch as jwksFetch, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import * as oidc from 'openid-client'
import type { Clock } from '@mcpg/core/clock'
import { toleranceSeconds } from '@mcpg/core/id-token'
import type { Log } from '@mcpg/core/log'
import { safeFetch } from '@mcpg/core/safe-fetch'
import { McpgError } from '@mcpg/proto/errors'

/** Keys are kept this long; strangers with made-up keys make us look no more often than every `lookAgainMs`. */
const keepKeysMs = 10 * 60_000
const lookAgainMs = 5_000

export type OidcSettings = {
  issuer: string
  clientId: string
  /** Null: a public client. */
  clientSecret: string | null
  /** Audiences of an id_token that is shown as a bearer. */
  audiences: string[]
  adminSubjects: string[]
  adminGroups: string[]
}

export type Issuer = ReturnType<typeof openIdIssuer>
/** `name` is what its tokens call it. */
type Known = { configuration: oidc.Configuration; name: string; keys: JWTVerifyGetKey; fetchKeys: () => Promise<void> }
type KeySet = { name: string; keys: JSONWebKeySet }

/** The OpenID provider. It is asked when it is needed first, so that a control plane starts without it; a failure is not kept. */
export function openIdIssuer({ settings, clock, log }: { settings: OidcSettings; clock: Clock; log: Pick<Log, 'warn'> }) {
  const named = new URL(settings.issuer)
  const fetch = safeFetch(named)
  const listeners: ((found: KeySet) => void)[] = []
  let known: Promise<Known> | undefined
  return {
    settings,
    known: knownIssuer,
    unreachable,
    look,
    /** Told whenever its keys were fetched. */
    onKeys: (listener: (found: KeySet) => void) => void listeners.push(listener),
  }

  /** Says in the log what is wrong with the issuer, and nothing else. */
  async function look(): Promise<void> {
    await knownIssuer().catch((error: unknown) =>
      log.warn({ err: error, issuer: settings.issuer }, 'nobody can sign in while the issuer does not answer'),
    )
  }

  /** Throws unavailable while it does not answer, or answers for another issuer. */
  async function knownIssuer(): Promise<Known> {
    known ??= discover().catch((error: unknown) => {
      known = undefined
      throw unreachable(error)
    })
    return await known
  }

  async function discover(): Promise<Known> {
    const { clientId, clientSecret } = settings
    const configuration = await oidc.discovery(
      named,
      clientId,
      { [oidc.clockTolerance]: toleranceSeconds },
      clientSecret === null ? oidc.None() : oidc.ClientSecretBasic(clientSecret),
      {
        [oidc.customFetch]: fetch as oidc.CustomFetch,
        // Plain http is for loopback only, and safeFetch sees to that.
        execute: named.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
      },
    )
    configuration[oidc.customFetch] = fetch as oidc.CustomFetch
    const { jwks_uri: keys, issuer: name } = configuration.serverMetadata()
    if (!keys) throw new Error('its metadata names no jwks_uri')
    return { configuration, name, ...keysAt(new URL(keys), name) }
  }

  /** A key that is not among those we have may be new: they are fetched again, once. */
  function keysAt(url: URL, name: string): Pick<Known, 'keys' | 'fetchKeys'> {
    let isNew = false
    const fetchNew: typeof fetch = async (...request) => {
      const response = await fetch(...request)
      isNew = true
      return response
    }
    const keys = createRemoteJWKSet(url, { [jwksFetch]: fetchNew, cacheMaxAge: keepKeysMs, cooldownDuration: keepKeysMs })
    let lookedAt = -lookAgainMs
    return { keys: keyFor, fetchKeys: () => keys.reload().finally(tell) }

    async function keyFor(...asked: Parameters<JWTVerifyGetKey>) {
      try {
        return await keys(...asked)
      } catch (error) {
        const isTooSoon = clock.monotonic() - lookedAt < lookAgainMs && !keys.reloading
        if (!(error instanceof errors.JWKSNoMatchingKey) || isTooSoon) throw error
        lookedAt = clock.monotonic()
        await keys.reload()
        return await keys(...asked)
      } finally {
        tell()
      }
    }

    function tell(): void {
      const found = isNew && keys.jwks()
      if (!found) return
      isNew = false
      for (const listener of listeners) listener({ name, keys: found })
    }
  }

  function unreachable(error: unknown): McpgError {
    const { message, cause } = error as Error
    const why = cause instanceof Error ? `${message}: ${cause.message}` : message
    return new McpgError(
      'unavailable',
      'issuer_unreachable',
      `The sign-in service ${settings.issuer} does not answer as an OpenID issuer.`,
      {
        hint: 'try again in a moment; whoever runs this control plane checks --oidc-issuer, the network and the certificate of that address',
        cause: new Error(why, { cause: error }),
        retryAfterSeconds: 5,
      },
    )
  }
}
