import canonicalize from 'canonicalize'
import type { AccessDocument, AccessEnvironment, AccessIssuer } from '@mcpg/proto/access-document'
import { sha256, type Entry } from './entries.ts'

/** Changes that a gateway may be behind and still get a delta. */
const keptChanges = 1_000

type Environments = Record<string, AccessEnvironment>
type Issuers = Record<string, AccessIssuer>
/** What is another: tokens and people by their keys, and whether these are. */
type Changed = { keys: Set<string>; environments: boolean; issuers: boolean }

const nothing = (): Changed => ({ keys: new Set(), environments: false, issuers: false })

/**
 * The access document of one workspace, and what changed in it lately. `digest` tells whether two processes mean the same content: the
 * sum of what stands in it, so that one change among ten thousand tokens costs one.
 */
export function accessLedger(workspace: string) {
  const entries = new Map<string, Entry>()
  let environments: Environments = {}
  let issuers: Issuers = {}
  let digest = 0n
  let version = 0
  let unpublished = nothing()
  const changes: (Changed & { version: number })[] = []
  return {
    version: () => version,
    digest: () => digest.toString(16),
    keys: () => [...entries.keys()],
    has: (key: string) => entries.has(key),
    set,
    setEnvironments,
    setIssuers,
    publish,
    isPublished: () => unpublished.keys.size === 0 && !unpublished.environments && !unpublished.issuers,
    restore,
    offer,
  }

  function set(key: string, entry: Entry | null): void {
    const before = entries.get(key)
    const weight = (one: Entry) => weigh(key, one)
    const [old, now] = [before ? weight(before) : 0n, entry ? weight(entry) : 0n]
    if (old === now) return
    digest ^= old ^ now
    unpublished.keys.add(key)
    if (entry) entries.set(key, entry)
    else entries.delete(key)
  }

  function setEnvironments(next: Environments): void {
    const [old, now] = [weigh('environments', environments), weigh('environments', next)]
    if (old === now) return
    digest ^= old ^ now
    unpublished.environments = true
    environments = next
  }

  function setIssuers(next: Issuers): void {
    // A document without any is what it was before there could be some.
    const weight = (all: Issuers) => (Object.keys(all).length === 0 ? 0n : weigh('issuers', all))
    const [old, now] = [weight(issuers), weight(next)]
    if (old === now) return
    digest ^= old ^ now
    unpublished.issuers = true
    issuers = next
  }

  /** This is what gateways have by this number, as somebody knew before us. */
  function restore(known: number): void {
    version = known
    unpublished = nothing()
  }

  /** From now on this is what gateways should have. What could not be published stays for the next time. */
  function publish(next: number): void {
    version = next
    changes.push({ version, ...unpublished })
    unpublished = nothing()
    if (changes.length > keptChanges) changes.splice(0, changes.length - keptChanges)
  }

  /** What brings a gateway from a version it has to this one; the whole document where that is unknown. */
  function offer(from: number): { baseVersion: number; document: AccessDocument } {
    const since = changes.filter((one) => one.version > from)
    const isKnown = from > 0 && from < version && since.length === version - from
    if (!isKnown) return { baseVersion: 0, document: { ...documentOf([...entries.keys()], environments), ...someOf({ issuers }) } }
    const keys = [...new Set(since.flatMap((one) => [...one.keys]))]
    const removed = keys.filter((key) => !entries.has(key))
    const changed = keys.filter((key) => entries.has(key))
    const document = documentOf(changed, since.some((one) => one.environments) ? environments : {})
    const withIssuers = since.some((one) => one.issuers)
    return { baseVersion: from, document: { ...document, ...(withIssuers && { issuers }), ...(removed.length > 0 && { removed }) } }
  }

  function documentOf(keys: string[], shown: Environments): AccessDocument {
    const document: AccessDocument = { v: 1, workspace, tokens: {}, grants: {}, environments: shown }
    const people: NonNullable<AccessDocument['people']> = {}
    for (const key of keys) {
      const entry = entries.get(key)!
      const { subject, grantsKey, grants } = entry
      const shared = { subject, grants: grantsKey }
      if ('id' in entry) document.tokens[key] = { ...shared, id: entry.id, ...(entry.expires !== null && { expires: entry.expires }) }
      else people[key] = { ...shared, ...(entry.signedOut !== null && { signedOut: entry.signedOut }) }
      document.grants[grantsKey] ??= grants
    }
    return { ...document, ...someOf({ people }) }
  }
}

/** Nothing of what is empty: gateways that know nothing of it take the document then. */
const someOf = <Field extends Record<string, object>>(field: Field): Partial<Field> =>
  Object.values(field).some((value) => Object.keys(value).length > 0) ? field : {}

export type AccessLedger = ReturnType<typeof accessLedger>

const weigh = (key: string, content: object): bigint => BigInt(`0x${sha256(`${key}\n${canonicalize(content)}`).toString('hex')}`)
