import canonicalize from 'canonicalize'
import { createHash } from 'node:crypto'
import { accessPersonText, type AccessGrant } from '@mcpg/proto/access-document'
import { covers, type Grant } from '@mcpg/proto/grants'
import type { Token } from '../store.ts'

export type WorkspacePath = { org: string; workspace: string }

/** `grantsKey` names the rights among all. */
type Rights = { grantsKey: string; grants: AccessGrant[] }
/** A token as gateways need it, or somebody whom an issuer vouches for; times in milliseconds since 1970. */
export type Entry = Rights & ({ id: string; subject: string; expires: number | null } | { subject: string; signedOut: number | null })

/** What of somebody's rights gateways of a workspace decide by: the use of servers, tools and projects. */
export function accessGrants(grants: readonly Grant[], workspace: WorkspacePath): AccessGrant[] {
  return grants.flatMap((grant): AccessGrant[] => {
    if (!('on' in grant) || !grant.verbs.includes('run') || !isKind(grant.on)) return []
    const { place, on, names } = grant
    const isHere = covers(place, { ...place, ...workspace })
    if (!isHere) return []
    const { environment, project } = place
    return [
      {
        ...(environment !== undefined && { environment }),
        ...(project !== undefined && { project }),
        on,
        ...(names && { names: [...names] }),
      },
    ]
  })
}

/** Null for a token that can use nothing here: gateways do not know it. */
export function entryOf(token: Pick<Token, 'id' | 'expiresAt'>, subject: string, grants: AccessGrant[]): Entry | null {
  if (grants.length === 0) return null
  return { id: token.id, subject, expires: token.expiresAt === null ? null : Date.parse(token.expiresAt), ...rightsOf(grants) }
}

/** The same of a person. */
export function personEntryOf({ email, signedOut }: { email: string; signedOut: number | null }, grants: AccessGrant[]): Entry | null {
  return grants.length === 0 ? null : { subject: email, signedOut, ...rightsOf(grants) }
}

/** How gateways look a token up. */
export const entryKey = ({ sha256: hex }: Pick<Token, 'sha256'>): string => Buffer.from(hex, 'hex').toString('base64url')

export const personKey = (issuer: string, subject: string): string => sha256(accessPersonText(issuer, subject)).toString('base64url')

const rightsOf = (grants: AccessGrant[]): Rights => ({
  grantsKey: sha256(canonicalize(grants)!).subarray(0, 9).toString('base64url'),
  grants,
})

export const sha256 = (text: string | Uint8Array): Buffer => createHash('sha256').update(text).digest()

const isKind = (on: string): on is AccessGrant['on'] => on === 'servers' || on === 'tools' || on === 'projects' || on === '*'
