import { text } from 'node:stream/consumers'
import { McpgError } from '@mcpg/proto/errors'
import { Me, sessionCookie } from '@mcpg/proto/rest/auth'
import type { Answer, Api } from '../api/client.ts'
import { ask } from '../ask.ts'
import type { Context } from '../context.ts'
import { findControlPlane } from '../local/run-files.ts'
import { readSetupCode } from '../local/setup-code.ts'
import type { SessionCredential } from './credentials.ts'

export type LocalOptions = { username?: string; passwordStdin?: boolean; setupCode?: string }

/** Signs in with e-mail and password, or creates the first user. A wrong password is asked for once more, where somebody can be asked. */
export async function signInWithPassword(
  context: Context,
  api: Api,
  options: LocalOptions & { needsSetup: boolean },
): Promise<SessionCredential> {
  const { needsSetup } = options
  const setupCode = needsSetup ? await setupCodeFor(context, api, options) : undefined
  if (needsSetup) context.say('Nobody has signed in here yet; this creates the first user, who may do everything.')
  const email = options.username ?? (await ask(context, 'E-mail: ', { flag: '--username' }))
  const password = options.passwordStdin
    ? (await text(context.env.stdin)).split(/\r?\n/, 1)[0]!
    : await ask(context, 'Password: ', { flag: '--password-stdin', hidden: true })
  const answer = await api.call('POST', needsSetup ? '/v1/auth/bootstrap' : '/v1/auth/login', {
    body: { email, password, ...(setupCode === undefined ? {} : { setupCode }) },
    schema: Me,
    anonymous: true,
    // Sent again, a password that was refused for guessing would only be refused again.
    retries: 0,
  })
  return sessionIn(api, answer)
}

/** The session that an answer begins. */
export function sessionIn(api: Api, { body, headers }: Answer<Me>): SessionCredential {
  const cookie = headers
    .getSetCookie()
    .map((one) => one.split(';', 1)[0]!.split('='))
    .find(([name]) => name === sessionCookie)?.[1]
  if (!cookie || !body.session)
    throw new McpgError('internal', 'no_session', `The control plane at ${api.url} gave no session.`, { hint: 'mcpg-ctl version' })
  return { kind: 'session', cookie, email: body.email ?? body.subject, expiresAt: body.session.expiresAt }
}

/** The file is read for the control plane of this state dir only: any other must not learn the code. */
async function setupCodeFor({ settings, ...context }: Context, api: Api, { setupCode }: LocalOptions): Promise<string> {
  if (setupCode !== undefined) return setupCode
  const own = await findControlPlane(settings.stateDir)
  const isOwn = own?.endpoints['http'] !== undefined && new URL(own.endpoints['http']).origin === new URL(api.url).origin
  const kept = isOwn ? await readSetupCode(settings.stateDir) : null
  return kept ?? (await ask({ settings, ...context }, 'Setup code: ', { flag: '--setup-code (MCPG_SETUP_CODE)' }))
}
