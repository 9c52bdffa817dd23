import type { Me } from '@mcpg/proto/rest/auth'
import { Introspection } from '@mcpg/proto/rest/tokens'
import type { Api } from '../api/client.ts'
import type { Context } from '../context.ts'
import { relative } from '../output/age.ts'
import { pairs } from '../output/table.ts'
import { readCredential } from '../sign-in/credentials.ts'
import { licenseText } from '../sign-in/license-text.ts'
import { whoAmI } from '../sign-in/who-am-i.ts'

/** How somebody is signed in; `until` in RFC 3339, none: for as long as it is not taken away. */
type SignIn = { by: 'none' | 'session' | 'token' | 'issuer'; until?: string; name?: string }

/** Fails like every other command where nobody is signed in. */
export async function run(context: Context): Promise<void> {
  const { settings, print } = context
  const api = await context.api()
  const isGiven = settings.token !== undefined || settings.sessionCookie !== undefined
  const kept = isGiven ? null : await readCredential(settings.stateDir, api.url)
  const me = await whoAmI(api, kept?.kind === 'tokens' ? kept.license : null)
  const signIn = await signInOf(api, me, kept?.kind === 'tokens' ? kept : null)
  const answer = { ...me, signIn }
  if (settings.output === 'json') return print(JSON.stringify(answer, null, 2))
  if (settings.output === 'yaml') return print((await import('../manifest/print-form.ts')).toYaml(answer).trimEnd())
  if (settings.output === 'name') return print(me.subject)
  linesOf(me, signIn).forEach((line) => print(line))
}

async function signInOf(
  api: Api,
  me: Me,
  issued: { issuer: string; expiresAt: string; refreshToken: string | null } | null,
): Promise<SignIn> {
  const { token } = api.settings
  if (me.kind === 'local') return { by: 'none' }
  if (issued) return { by: 'issuer', name: issued.issuer, ...(issued.refreshToken === null && { until: issued.expiresAt }) }
  if (me.session) return { by: 'session', until: earlier(me.session.expiresAt, me.session.idleUntil) }
  if (token === undefined) return { by: 'session' }
  const { body } = await api.call('POST', '/v1/tokens/introspect', { body: { token }, schema: Introspection })
  return { by: 'token', ...(body.name && { name: body.name }), ...(body.expiresAt && { until: body.expiresAt }) }
}

const earlier = (one: string, other: string): string => (one < other ? one : other)

function linesOf(
  { subject, displayName, kind, impersonator, platformAdmin, memberOf = [], groups, license }: Me,
  signIn: SignIn,
): string[] {
  const named = displayName === undefined ? subject : `${subject} (${displayName})`
  return pairs([
    ['you are', impersonator ?? named],
    ...(impersonator === undefined ? [] : [['acting for', `${named}: what both of you may do`] as [string, string]]),
    ...(kind === 'local' || kind === 'user' ? [] : [['kind', kind] as [string, string]]),
    ['signed in', signInText(signIn)],
    ...(platformAdmin ? [['rights', 'everything'] as [string, string]] : []),
    ['groups', memberOf.map(({ org, group }) => `${org}/${group}`).join(', ') || 'none'],
    ...(groups.length > 0 ? [['groups of the issuer', groups.join(', ')] as [string, string]] : []),
    ...(license ? [['license', licenseText(license)] as [string, string]] : []),
  ])
}

function signInText({ by, name, until }: SignIn): string {
  if (by === 'none') return 'nobody signs in here: whoever reaches it may do everything'
  const what = by === 'issuer' ? `through ${name}` : by === 'token' ? `by the token ${name ?? 'that was given'}` : 'with a session'
  if (until !== undefined) return `${what}, until ${until} (${relative(until)})`
  return by === 'issuer' ? `${what}, renewed by itself` : what
}
