import type { IncomingMessage } from 'node:http'
import type { Clock } from '@mcpg/core/clock'
import { IdTokenRefused, isSignedOut, issuerNamed, keyNamed, signedOut } from '@mcpg/core/id-token'
import type { AccessGrant } from '@mcpg/proto/access-document'
import { anonymous } from '../endpoint/asking/caller.ts'
import type { GatewayAccess, Shown } from './access.ts'
import { idTokenReader, type Vouched } from './id-tokens.ts'
import type { NewKeys } from './new-keys.ts'

/** Whom the entrance has let in. Without `grants` nothing is filtered; `tokenId` is of whom it is the token; `shown` is what must go on to hold. */
export type Admitted = {
  principal: string
  tokenId?: string
  subject?: string
  /** Who really acts, where `subject` is somebody they act for. */
  impersonator?: string
  grants?: readonly AccessGrant[]
  shown?: Shown
}
/**
 * Why not. 401: another token may help; 403: other rights; 503: this one, once the control plane was reached. `isRefusal`: a token was shown
 * that does not hold.
 */
export type Turned = { status: 401 | 403 | 503; reason: string; detail: string; challenge: string; isRefusal: boolean }

export type Gate = ReturnType<typeof gate>

/**
 * Decides who comes in. `auto`: without a token on a loopback listener only; `required`: never; `open`: always, but beyond loopback only
 * where whoever runs this machine has allowed it too. A token of ours or of an issuer that we know must hold everywhere, once it is shown.
 */
export function gate({
  access,
  newKeys,
  isLoopback,
  mayBeOpen,
  lastHeard,
  clock,
}: {
  access: Pick<GatewayAccess, 'holderOf' | 'issuers' | 'personOf' | 'grantsNamed' | 'rules'>
  newKeys: Pick<NewKeys, 'arrives'>
  /** Whether only this machine reaches the listener. */
  isLoopback: boolean
  /** Set by whoever runs this machine (`--insecure-allow-unauthenticated`). */
  mayBeOpen: boolean
  /** Since when the control plane says nothing, in milliseconds since 1970; null while it is there. */
  lastHeard: () => number | null
  clock: Clock
}) {
  const idTokens = idTokenReader({ clock })
  return { admit }

  /** At once, but for an id_token that is shown for the first time, and a little later for one by a key that is new. */
  function admit({ headers }: Pick<IncomingMessage, 'headers'>): Admitted | Turned | Promise<Admitted | Turned> {
    const text = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    if (text === undefined) return isOpen() ? { principal: anonymous } : missing(Object.keys(access.issuers()))
    if (text.startsWith('mcpg_pat_')) return tooOld() ?? byToken(text)
    const named = issuerNamed(text)
    const issuer = named !== undefined && Object.hasOwn(access.issuers(), named) ? access.issuers()[named] : undefined
    // Other programs' bearers mean nothing here, where nobody is asked for one.
    if (!issuer && isOpen()) return { principal: anonymous }
    return tooOld() ?? (issuer ? byIdToken(text, named!, issuer) : ofNoIssuer(named))
  }

  function byToken(text: string): Admitted | Turned {
    const holder = access.holderOf(text)
    if (!holder) return refused
    const { tokenId, subject, shown } = holder
    return { principal: `${subject} by ${tokenId}`, tokenId, subject, grants: shown.grants, shown }
  }

  function byIdToken(...[text, name, issuer]: Parameters<typeof idTokens.read>): Admitted | Turned | Promise<Admitted | Turned> {
    const read = idTokens.read(text, name, issuer)
    return read instanceof Promise ? read.then((found) => judgedAnew(found, text, name)) : judged(read)
  }

  /** Issuers may sign by a key that they have not shown before; the control plane can fetch it. */
  async function judgedAnew(read: Vouched | IdTokenRefused, text: string, name: string): Promise<Admitted | Turned> {
    const kid = read instanceof IdTokenRefused && read.reason === 'token_signature' ? keyNamed(text) : undefined
    if (kid === undefined || !(await newKeys.arrives(name, kid))) return judged(read)
    const issuer = access.issuers()[name]
    return judged(issuer ? await idTokens.read(text, name, issuer) : read)
  }

  function judged(read: Vouched | IdTokenRefused): Admitted | Turned {
    if (read instanceof IdTokenRefused) return refusal(read)
    const { key, until, made } = read
    const person = access.personOf(key)
    if (!person) return withoutRights
    if (person.signedOut !== undefined && isSignedOut(made, person.signedOut)) return refusal(signedOut())
    // Whoever refreshes their token stays who they are.
    const grants = access.grantsNamed(person.grants)
    return { principal: `person ${key}`, subject: person.subject, grants, shown: { key, grants, until, made } }
  }

  /** A JWT of somebody else, or a bearer of no kind that we know. */
  function ofNoIssuer(named: string | undefined): Turned {
    const [trusted] = Object.keys(access.issuers())
    if (named === undefined || trusted === undefined) return refused
    return refusal(new IdTokenRefused('token_other_issuer', `The token is not from ${trusted}.`))
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
    return { status: 503, reason: 'access_too_old', detail, challenge: '', isRefusal: false }
  }
}

function missing([issuer]: string[]): Turned {
  const or = issuer === undefined ? '' : `, or an id_token of ${issuer}`
  return {
    status: 401,
    reason: 'token_required',
    detail: `This endpoint wants a token: Authorization: Bearer mcpg_pat_… (mcpg-ctl create mcptoken <name> -p <project>)${or}.`,
    challenge: 'Bearer realm="mcpg"',
    isRefusal: false,
  }
}
const refused: Turned = {
  status: 401,
  reason: 'token_refused',
  detail: 'This token is unknown here, over, revoked, or may use nothing of this workspace.',
  challenge: 'Bearer realm="mcpg", error="invalid_token"',
  isRefusal: true,
}
const withoutRights: Turned = {
  status: 403,
  reason: 'nothing_to_use',
  detail: 'This token holds, and whoever it is of may use nothing of this workspace (mcpg-ctl can-i run servers).',
  challenge: challengeOf('insufficient_scope', 'Whoever the token is of may use nothing of this workspace.'),
  isRefusal: true,
}

const refusal = ({ reason, message }: IdTokenRefused): Turned => ({
  status: 401,
  reason,
  detail: message,
  challenge: challengeOf('invalid_token', message),
  isRefusal: true,
})

/** RFC 6750: a description is printable ASCII without quotes and backslashes. */
function challengeOf(error: string, description: string): string {
  return `Bearer realm="mcpg", error="${error}", error_description="${description.replaceAll(/[^ !#-[\]-~]/g, '?')}"`
}
