import { McpgError } from '@mcpg/proto/errors'
import { requestHeader, type AuthMode } from '@mcpg/proto/rest/auth'
import type { Authenticate, Principal } from '../access/principal.ts'
import { cookieIn } from './cookie.ts'
import { localUser, type Account, type Accounts, type User } from './service.ts'
import type { Sessions } from './sessions.ts'

/** Knows bearers of one kind; null for those of another. Throws unauthenticated for one of its own that does not hold. */
export type BearerReader = (token: string) => Promise<Principal | null>

/**
 * Who makes a request, by bearer or by the session cookie; null when it shows neither, or a session that is over. Throws
 * unauthenticated for a bearer that is refused, and forbidden for a write that only the cookie vouches for.
 */
export function authentication({
  mode,
  sessions,
  accounts,
  bearers,
  oidcUser,
}: {
  mode: AuthMode
  sessions: Pick<Sessions, 'find'>
  accounts: Pick<Accounts, 'find'>
  bearers: BearerReader[]
  /** The person behind an account that an issuer vouched for. */
  oidcUser: (account: Account, groups: readonly string[]) => User
}): Authenticate {
  return async ({ method, headers }) => {
    const authorization = one(headers['authorization'])
    if (authorization !== undefined) return { principal: await byBearer(authorization), session: null }
    const id = cookieIn(one(headers['cookie']))
    const session = id === undefined ? null : await sessions.find(id)
    if (!session || session.mode !== mode) return null
    const account = await accounts.find(session.accountId)
    if (!account) return null
    if (!isRead.test(method) && headers[requestHeader] !== '1')
      throw new McpgError('forbidden', 'csrf_header_missing', 'A write with the session cookie needs the header X-Mcpg-Request: 1.', {
        hint: 'send X-Mcpg-Request: 1, or a bearer token instead of the cookie',
      })
    return { principal: mode === 'oidc' ? oidcUser(account, session.groups) : localUser(account), session }
  }

  async function byBearer(authorization: string): Promise<Principal> {
    const token = /^Bearer +([^\s]+)$/i.exec(authorization)?.[1]
    if (token === undefined)
      throw new McpgError('unauthenticated', 'authorization_malformed', 'The Authorization header is not "Bearer <token>".', {
        hint: 'mcpg-ctl login',
      })
    for (const read of bearers) {
      const principal = await read(token)
      if (principal) return principal
    }
    throw new McpgError('unauthenticated', 'token_unknown', 'This bearer token is of no kind that this control plane accepts.', {
      hint: 'mcpg-ctl login',
    })
  }
}

const isRead = /^(GET|HEAD|OPTIONS)$/
const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)
