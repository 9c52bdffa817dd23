import { randomUUID } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Db, Tx } from '../db/db.ts'
import type { IdClaims } from './id-token.ts'
import type { OidcSettings } from './issuer.ts'
import type { Account, User } from './service.ts'

/** Which account an issuer's word is about: by (issuer, subject), never by e-mail, which people and companies pass on. */
export function accountLinks({
  db,
  clock,
  settings,
  changed,
}: {
  db: Pick<Db, 'read' | 'write'>
  clock: Clock
  settings: OidcSettings
  /** Told after an account became new or another. */
  changed: () => void
}) {
  const { issuer } = settings
  return { linked, link, userOf }

  /** Finds the account, or makes it. Throws forbidden where the e-mail is missing, unverified or another's. */
  async function linked(claims: IdClaims): Promise<Account> {
    const found = await db.read.account.findUnique({ where: { issuer_subject: { issuer, subject: claims.subject } } })
    // An id_token of the command line may lack the groups that a browser's sign-in has told.
    const isKnown = found && isSame(found, claims) && (claims.groups.length === 0 || found.groups === groupsOf(claims))
    if (isKnown) return found
    const account = await db.write((tx) => link(tx, claims))
    changed()
    return account
  }

  /** The same inside a transaction; e-mail and groups follow the issuer. */
  async function link(tx: Tx, claims: IdClaims): Promise<Account> {
    const { subject, name } = claims
    const groups = groupsOf(claims)
    const known = await tx.account.findUnique({ where: { issuer_subject: { issuer, subject } } })
    if (known && isSame(known, claims))
      return known.groups === groups ? known : await tx.account.update({ where: { id: known.id }, data: { groups } })
    const email = usableEmail(claims)
    const holder = await tx.account.findUnique({ where: { email } })
    if (holder && holder.id !== known?.id)
      throw new McpgError('forbidden', 'email_taken', `The e-mail ${email} belongs to another account already, with another subject.`, {
        hint: 'accounts are not joined by e-mail: whoever runs the issuer gives one of the two another e-mail',
      })
    if (known) return await tx.account.update({ where: { id: known.id }, data: { email, groups } })
    const createdAt = new Date(clock.now()).toISOString()
    return await tx.account.create({ data: { id: randomUUID(), email, displayName: name, issuer, subject, groups, createdAt } })
  }

  /** Nobody is an admin by being first: the operator names them, by subject or by group. */
  function userOf({ id, email, subject }: Account, groups: readonly string[]): User {
    const isNamed = subject !== null && settings.adminSubjects.includes(subject)
    const platformAdmin = isNamed || groups.some((group) => settings.adminGroups.includes(group))
    return { kind: 'user', accountId: id, email, groups, platformAdmin }
  }

  /** True where the issuer tells nothing new. */
  function isSame(account: Account, { email }: IdClaims): boolean {
    return email === null || email === account.email
  }

  function usableEmail({ email, emailVerified }: IdClaims): string {
    if (email === null)
      throw new McpgError('forbidden', 'email_missing', 'The issuer did not tell your e-mail.', {
        hint: 'whoever runs the issuer lets this client see the scope email',
      })
    if (emailVerified === false)
      throw new McpgError('forbidden', 'email_unverified', `The issuer has not verified the e-mail ${email}.`, {
        hint: 'verify it at the issuer and sign in again',
      })
    return email
  }
}

const groupsOf = ({ groups }: IdClaims): string => JSON.stringify(groups.toSorted())
