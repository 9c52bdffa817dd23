import type { AuthMode } from '@mcpg/proto/rest/auth'
import { localUser, type Account, type Accounts, type User } from './service.ts'

/** The person of an account without their sign-in, as their tokens need it; null for one who cannot sign in here any more. */
export function people({
  accounts,
  mode,
  oidcUser,
}: {
  accounts: Pick<Accounts, 'find'>
  mode: AuthMode
  /** The person behind an account that an issuer vouched for. */
  oidcUser: (account: Account, groups: readonly string[]) => User
}): (accountId: string) => Promise<User | null> {
  return async (accountId) => {
    const account = await accounts.find(accountId)
    if (!account) return null
    if (mode !== 'oidc') return localUser(account)
    // Of another mode: somebody with a password of yesterday.
    return account.subject === null ? null : oidcUser(account, JSON.parse(account.groups) as string[])
  }
}
