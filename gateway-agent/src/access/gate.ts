import type { IncomingMessage } from 'node:http'
import type { Clock } from '@mcpg/core/clock'
import type { AccessGrant } from '@mcpg/proto/access-document'
import { anonymous } from '../endpoint/asking/caller.ts'
import type { GatewayAccess } from './access.ts'

/** Whom the entrance has let in. Without `grants` nothing is filtered; `tokenId` is of whom it is the token. */
export type Admitted = { principal: string; tokenId?: string; subject?: string; grants?: readonly AccessGrant[] }
/** Why not. 401: another token may help; 503: this one, once the control plane was reached. */
export type Turned = { status: 401 | 503; reason: string; detail: string; challenge: string }

export type Gate = ReturnType<typeof gate>

/**
 * Decides who comes in. `auto`: without a token on a loopback listener only; `required`: never; `open`: always, but beyond loopback only
 * where whoever runs this machine has allowed it too. A token that is shown must hold everywhere.
 */
export function gate({
  access,
  isLoopback,
  mayBeOpen,
  lastHeard,
  clock,
}: {
  access: Pick<GatewayAccess, 'holderOf' | 'rules'>
  /** Whether only this machine reaches the listener. */
  isLoopback: boolean
  /** Set by whoever runs this machine (`--insecure-allow-unauthenticated`). */
  mayBeOpen: boolean
  /** Since when the control plane says nothing, in milliseconds since 1970; null while it is there. */
  lastHeard: () => number | null
  clock: Clock
}) {
  return { admit }

  function admit({ headers }: Pick<IncomingMessage, 'headers'>): Admitted | Turned {
    const text = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    // Other programs' bearers mean nothing here, where nobody is asked for one.
    if (text === undefined || (isOpen() && !text.startsWith('mcpg_pat_'))) return isOpen() ? { principal: anonymous } : missing
    const age = tooOld()
    if (age !== null) return age
    const holder = access.holderOf(text)
    if (!holder) return refused
    const { tokenId, subject, grants } = holder
    return { principal: `${subject} by ${tokenId}`, tokenId, subject, grants }
  }

  function isOpen(): boolean {
    const { endpointAuth } = access.rules()
    if (endpointAuth === 'required') return false
    return isLoopback || mayBeOpen
  }

  function tooOld(): Turned | null {
    const { maxAgeMs } = access.rules()
    const since = lastHeard()
    if (maxAgeMs === undefined || since === null || clock.now() - since <= maxAgeMs) return null
    const detail = `This gateway has not heard its control plane since ${new Date(since).toISOString()}, longer than it may go by what it knew then.`
    return { status: 503, reason: 'access_too_old', detail, challenge: '' }
  }
}

const missing: Turned = {
  status: 401,
  reason: 'token_required',
  detail: 'This endpoint wants a token: Authorization: Bearer mcpg_pat_… (mcpg-ctl create mcptoken <name> -p <project>).',
  challenge: 'Bearer realm="mcpg"',
}
const refused: Turned = {
  status: 401,
  reason: 'token_refused',
  detail: 'This token is unknown here, over, revoked, or may use nothing of this workspace.',
  challenge: 'Bearer realm="mcpg", error="invalid_token"',
}
