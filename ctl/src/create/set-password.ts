import { McpgError } from '@mcpg/proto/errors'
import { SetPassword, userKind } from '@mcpg/proto/kinds/user'
import { AuthStatus } from '@mcpg/proto/rest/auth'
import { objectPath } from '../api/paths.ts'
import type { Context } from '../context.ts'

/** Throws where nobody signs in with a password, or not with this one; to be asked before anything is written. */
export async function refusePassword(context: Context, password: string): Promise<void> {
  const parsed = SetPassword.safeParse({ password })
  if (!parsed.success) {
    const violations = parsed.error.issues.map(({ message }) => ({ pointer: '--password', detail: message }))
    throw new McpgError('invalid', 'bad_password', 'The password cannot be used; nothing was written.', { violations })
  }
  const api = await context.api()
  const { body } = await api.call('GET', '/v1/auth/status', { schema: AuthStatus, anonymous: true })
  if (body.mode === 'local') return
  const why = body.mode === 'oidc' ? 'people sign in at the issuer' : 'nobody signs in'
  throw new McpgError('failed_precondition', 'no_passwords_here', `There are no passwords here: ${why}. Nothing was written.`, {
    hint: 'leave out --password (MCPG_PASSWORD); serve --auth-mode local is where people sign in with one',
  })
}

/** The person is there by now, also where the password is refused after all. */
export async function setPassword({ settings, api }: Context, name: string, password: string): Promise<void> {
  const path = `${objectPath(settings, userKind, name)}/password`
  await (await api()).call('POST', path, { body: { password } }).catch((error: unknown) => {
    if (!(error instanceof McpgError)) throw error
    const { code, reason, message, status, violations } = error
    throw new McpgError(code, reason, `${name} was created without a password: ${message}`, {
      status,
      violations,
      cause: error,
      hint: `once that is mended: mcpg-ctl passwd ${name}`,
    })
  })
}
