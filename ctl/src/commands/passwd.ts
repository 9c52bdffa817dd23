import { text } from 'node:stream/consumers'
import { McpgError } from '@mcpg/proto/errors'
import { userKind } from '@mcpg/proto/kinds/user'
import { AuthStatus, Me } from '@mcpg/proto/rest/auth'
import type { Api } from '../api/client.ts'
import { objectPath } from '../api/paths.ts'
import { ask } from '../ask.ts'
import type { Context } from '../context.ts'
import { keepCredential, readCredential } from '../sign-in/credentials.ts'
import { sessionIn } from '../sign-in/local.ts'

type PasswdOptions = { passwordStdin?: boolean }

/** Ends every session of the user; the new one takes the place of the one that was kept here. */
export async function run(context: Context, [email]: string[], { passwordStdin = false }: PasswdOptions): Promise<void> {
  if (email !== undefined) return setOf(context, email.toLowerCase(), passwordStdin)
  const { settings, print, say } = context
  const api = await context.api()
  await refuseWithoutPasswords(api)
  const { origin } = new URL(api.url)
  const body = passwordStdin ? await twoLines(context) : await askForBoth(context)
  const answer = await api.call('POST', '/v1/auth/password', { body, schema: Me, retries: 0 })
  const session = sessionIn(api, answer)
  const isGiven = settings.sessionCookie !== undefined || settings.token !== undefined
  if (!isGiven && (await readCredential(settings.stateDir, api.url))) await keepCredential(settings.stateDir, api.url, session)
  else say('The session that was given has ended: mcpg-ctl login')
  if (settings.output === 'json') return print(JSON.stringify({ controlPlane: origin, email: session.email, passwordChanged: true }))
  print(`password of ${session.email} changed at ${origin}; every other session has ended`)
}

/** An admin gives somebody a password: that of today is not asked for. */
async function setOf(context: Context, email: string, isPiped: boolean): Promise<void> {
  const { env, settings, print } = context
  const api = await context.api()
  await refuseWithoutPasswords(api)
  const password = isPiped ? (await text(env.stdin)).replace(/\r?\n$/, '') : await askNew(context, `mcpg-ctl passwd ${email}`)
  await api.call('POST', `${objectPath(settings, userKind, email)}/password`, { body: { password }, retries: 0 })
  if (settings.output === 'json') return print(JSON.stringify({ email, passwordChanged: true }))
  print(`${email} signs in with the new password; every session of theirs has ended`)
}

/** Before anything is asked for. */
async function refuseWithoutPasswords(api: Api): Promise<void> {
  const { mode } = (await api.call('GET', '/v1/auth/status', { schema: AuthStatus, anonymous: true })).body
  if (mode === 'local') return
  const { origin } = new URL(api.url)
  const message =
    mode === 'none' ? `Nobody signs in at ${origin}, so there are no passwords.` : `People sign in through an issuer at ${origin}.`
  throw new McpgError('failed_precondition', 'no_passwords_here', message, {
    hint: mode === 'none' ? 'mcpg-ctl serve --auth-mode local asks for them' : 'passwords are changed at the issuer',
  })
}

async function twoLines({ env }: Context): Promise<{ password: string; newPassword: string }> {
  const [password = '', newPassword = ''] = (await text(env.stdin)).split(/\r?\n/)
  if (password !== '' && newPassword !== '') return { password, newPassword }
  throw new McpgError('invalid', 'needs_input', '--password-stdin needs two lines: the password of today and the new one.')
}

async function askForBoth(context: Context): Promise<{ password: string; newPassword: string }> {
  const hidden = { flag: '--password-stdin', hidden: true }
  const password = await ask(context, 'Password of today: ', hidden)
  return { password, newPassword: await askNew(context, 'mcpg-ctl passwd') }
}

async function askNew(context: Context, command: string): Promise<string> {
  const hidden = { flag: '--password-stdin', hidden: true }
  const password = await ask(context, 'New password: ', hidden)
  if ((await ask(context, 'New password again: ', hidden)) === password) return password
  throw new McpgError('invalid', 'passwords_differ', 'The two new passwords differ; nothing was changed.', { hint: command })
}
