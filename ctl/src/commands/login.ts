import { McpgError } from '@mcpg/proto/errors'
import { AuthStatus, type Me } from '@mcpg/proto/rest/auth'
import type { Api } from '../api/client.ts'
import type { Context } from '../context.ts'
import { keepCredential, personOf, type Credential } from '../sign-in/credentials.ts'
import { licenseText } from '../sign-in/license-text.ts'
import { signInWithPassword, type LocalOptions } from '../sign-in/local.ts'
import type { OidcOptions } from '../sign-in/oidc.ts'

/**
 * The sign-in stands in `credentials.json` of the state dir, under the address of the control plane that it is for. Without --issuer the
 * control plane says how people sign in; with it the control plane need not be there.
 */
export async function run(context: Context, _args: string[], options: LocalOptions & OidcOptions): Promise<void> {
  const { settings, print, say } = context
  const api = await context.api()
  const { origin } = new URL(api.url)
  const status = await statusOf(api, options)
  const { issuerOf, signInThroughIssuer } = await import('../sign-in/oidc.ts')
  const names = issuerOf(options, status, origin)
  if (!names && status?.mode === 'none') return say(`nothing to do: nobody has to sign in at ${origin}`)
  refuseOthers(options, names !== null)
  const { credential, me } = names
    ? await signInThroughIssuer(context, names, options)
    : { credential: await signInWithPassword(context, api, { ...options, needsSetup: status?.needsSetup ?? false }), me: null }
  await keepCredential(settings.stateDir, api.url, credential)
  if (settings.output === 'json') return print(JSON.stringify(resultOf(origin, credential, me)))
  print(`signed in at ${origin} as ${personOf(credential)}`)
  if (credential.kind === 'tokens' && credential.license !== null) print(`license: ${licenseText(me?.license ?? null)}`)
}

async function statusOf(api: Api, { issuer }: OidcOptions): Promise<AuthStatus | null> {
  const isNeeded = issuer === undefined
  try {
    return (
      await api.call('GET', '/v1/auth/status', {
        schema: AuthStatus,
        anonymous: true,
        ...(isNeeded ? {} : { retries: 0, timeoutMs: 5000 }),
      })
    ).body
  } catch (error) {
    if (isNeeded || !(error instanceof McpgError) || error.code !== 'unavailable') throw error
    return null
  }
}

/** A flag of the other way to sign in would be ignored, and is a mistake. */
function refuseOthers(
  { username, passwordStdin, setupCode, device, clientId, browser }: LocalOptions & OidcOptions,
  byIssuer: boolean,
): void {
  const given = byIssuer
    ? { '--username': username, '--password-stdin': passwordStdin, '--setup-code': setupCode }
    : { '--device': device, '--client-id': clientId, '--no-browser': browser === false ? true : undefined }
  const flags = Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag]))
  if (flags.length === 0) return
  const how = byIssuer ? 'people sign in through an issuer' : 'people sign in with e-mail and password'
  throw new McpgError('invalid', 'flags_unused', `${flags.join(', ')}: ${how} here.`, { hint: `leave out ${flags.join(', ')}` })
}

function resultOf(controlPlane: string, credential: Credential, me: Me | null) {
  const { expiresAt } = credential
  const by = credential.kind === 'tokens' ? { issuer: credential.issuer, subject: credential.subject } : {}
  return { controlPlane, email: personOf(credential), ...by, expiresAt, ...(me?.license ? { license: me.license } : {}) }
}
