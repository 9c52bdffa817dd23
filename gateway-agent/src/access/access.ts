import { createHash } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import type { AccessDocument, AccessEnvironment, AccessGrant } from '@mcpg/proto/access-document'
import { AccessFailure, type AccessOffer } from '@mcpg/proto/gen/delivery'
import { storedAccess } from './stored.ts'
import { verifiedDocument } from './verify.ts'

/** Somebody whose token holds. */
export type TokenHolder = { tokenId: string; subject: string; grants: readonly AccessGrant[] }
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
    holds,
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
    const token = document.tokens[createHash('sha256').update(text).digest('base64url')]
    if (!token || (token.expires !== undefined && token.expires <= clock.now())) return null
    return { tokenId: token.id, subject: token.subject, grants: document.grants[token.grants] ?? [] }
  }

  /** Whether this token still holds, by its id. */
  function holds(tokenIds: ReadonlySet<string>): Set<string> {
    const holding = new Set<string>()
    for (const key in document.tokens) if (tokenIds.has(document.tokens[key]!.id)) holding.add(document.tokens[key]!.id)
    return holding
  }
}

function changed(before: AccessDocument, { tokens, grants, environments, removed = [] }: AccessDocument): AccessDocument {
  const gone = new Set(removed)
  // In place: a revocation among ten thousand tokens copies nothing.
  for (const key of gone) delete before.tokens[key]
  Object.assign(before.tokens, tokens)
  Object.assign(before.grants, grants)
  return { ...before, environments: Object.keys(environments).length > 0 ? environments : before.environments }
}
