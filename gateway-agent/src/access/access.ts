import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '@mcpg/core/clock'
import { isSignedOut } from '@mcpg/core/id-token'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import type { AccessDocument, AccessEnvironment, AccessGrant, AccessIssuer, AccessPerson } from '@mcpg/proto/access-document'
import { AccessFailure, type AccessOffer } from '@mcpg/proto/gen/delivery'
import { storedAccess } from './stored.ts'
import { verifiedDocument } from './verify.ts'

/** Who made an id_token, by which of their keys, and when, in seconds since 1970. */
export type Made = { issuer: string; kid: string | undefined; iat: number }
/**
 * What let somebody in, to be asked about again: the key of a token or a person in the document, with their rights as they were. `until`
 * in milliseconds since 1970, Infinity for ever; `made` of what an issuer made.
 */
export type Shown = { key: string; grants: readonly AccessGrant[]; until: number; made?: Made }
/** Somebody whose token holds. */
export type TokenHolder = { tokenId: string; subject: string; shown: Shown }
export type AccessVerdict = { version: number; failure: AccessFailure; message: string }
export type GatewayAccess = ReturnType<typeof gatewayAccess>

const noDocument: AccessDocument = { v: 1, workspace: '', tokens: {}, grants: {}, environments: {} }

/**
 * Who may call: the newest access document that came, in force from the moment it was verified. It has nothing to do with configs: no
 * config waits for it or takes it back, and a number below the one in force is refused.
 */
export function gatewayAccess({
  folder,
  gatewayId,
  keys,
  environment,
  clock,
  log,
  onSync,
}: {
  folder: string
  gatewayId: string
  keys: Uint8Array[]
  environment: string
  clock: Clock
  log: Log
  onSync?: () => void
}) {
  const stored = storedAccess(folder, gatewayId, onSync)
  const listeners: (() => void)[] = []
  let version = 0
  let document = noDocument
  const part: Part = { name: 'access', start, stop: stored.idle }
  return {
    part,
    version: () => version,
    offered,
    holderOf,
    issuers: (): Readonly<Record<string, AccessIssuer>> => document.issuers ?? {},
    /** Null for somebody who may use nothing here, or is nobody. */
    personOf: (key: string) => document.people?.[key] ?? null,
    grantsNamed: (key: string): readonly AccessGrant[] => document.grants[key] ?? [],
    stillHolds,
    rules: (): AccessEnvironment => document.environments[environment] ?? { endpointAuth: 'auto' },
    /** Told after every document that is another. */
    onChange: (listener: () => void) => void listeners.push(listener),
  }

  async function start(): Promise<void> {
    const found = await stored.read()
    if (!found || version > 0) return
    version = found.version
    document = found.document
  }

  /** In force at once; the answer comes when it is stored. */
  async function offered(offer: AccessOffer): Promise<AccessVerdict> {
    const refused = (failure: AccessFailure, message: string): AccessVerdict => ({ version, failure, message })
    const read = verifiedDocument(offer, { gatewayId, keys })
    if (typeof read === 'string') return refused(AccessFailure.BAD_SIGNATURE, read)
    const [next, base] = [Number(offer.version), Number(offer.baseVersion)]
    if (next <= version) return refused(AccessFailure.STALE, `Version ${version} is in force.`)
    if (base !== 0 && base !== version) return refused(AccessFailure.BASE_UNKNOWN, `Version ${version} is in force, not ${base}.`)
    document = base === 0 ? read : changed(document, read)
    version = next
    for (const listener of listeners) listener()
    try {
      await stored.write({ version: next, document })
    } catch (error) {
      log.error({ err: error, version: next }, 'the access document could not be stored; it is in force until this program ends')
      return refused(AccessFailure.STORAGE, error instanceof Error ? error.message : String(error))
    }
    return { version: next, failure: AccessFailure.UNSPECIFIED, message: '' }
  }

  /** Null for a token that is unknown, over or void. */
  function holderOf(text: string): TokenHolder | null {
    const key = createHash('sha256').update(text).digest('base64url')
    const token = document.tokens[key]
    if (!token || (token.expires !== undefined && token.expires <= clock.now())) return null
    const shown = { key, grants: document.grants[token.grants] ?? [], until: token.expires ?? Infinity }
    return { tokenId: token.id, subject: token.subject, shown }
  }

  /** Whether somebody would be let in again with it, and with every right that they had. */
  function stillHolds({ key, grants, until, made }: Shown): boolean {
    const person = made && document.people?.[key]
    const found = made ? person : document.tokens[key]
    if (!found || until <= clock.now() || (person && isVoid(made, person))) return false
    const now = document.grants[found.grants] ?? []
    return now === grants || grants.every((one) => now.some((other) => isDeepStrictEqual(one, other)))
  }

  /** Signed by a key that is none of its issuer any more, or before its person signed out everywhere. */
  function isVoid(made: Made, { signedOut }: AccessPerson): boolean {
    const isOfIssuer = document.issuers?.[made.issuer]?.keys.some(({ kid }) => kid === made.kid) ?? false
    return !isOfIssuer || (signedOut !== undefined && isSignedOut(made, signedOut))
  }
}

function changed(before: AccessDocument, delta: AccessDocument): AccessDocument {
  const people = (before.people ??= {})
  // In place: a revocation among ten thousand tokens copies nothing.
  for (const key of delta.removed ?? []) {
    delete before.tokens[key]
    delete people[key]
  }
  Object.assign(before.tokens, delta.tokens)
  Object.assign(people, delta.people)
  Object.assign(before.grants, delta.grants)
  return {
    ...before,
    environments: Object.keys(delta.environments).length > 0 ? delta.environments : before.environments,
    ...(delta.issuers && { issuers: delta.issuers }),
  }
}
