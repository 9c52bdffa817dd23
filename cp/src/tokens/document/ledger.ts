import canonicalize from 'canonicalize'
import type { AccessDocument, AccessEnvironment } from '@mcpg/proto/access-document'
import { sha256, type Entry } from './entries.ts'

/** Changes that a gateway may be behind and still get a delta. */
const keptChanges = 1_000

type Environments = Record<string, AccessEnvironment>

/**
 * The access document of one workspace, and what changed in it lately. `digest` tells whether two processes mean the same content: the
 * sum of what stands in it, so that one change among ten thousand tokens costs one.
 */
export function accessLedger(workspace: string) {
  const entries = new Map<string, Entry>()
  let environments: Environments = {}
  let digest = 0n
  let version = 0
  const changes: { version: number; keys: string[]; environments: boolean }[] = []
  return {
    version: () => version,
    digest: () => digest.toString(16),
    keys: () => [...entries.keys()],
    has: (key: string) => entries.has(key),
    set,
    setEnvironments,
    publish,
    restore: (known: number) => void (version = known),
    offer,
  }

  /** True when it is another than before. */
  function set(key: string, entry: Entry | null): boolean {
    const before = entries.get(key)
    const weight = (one: Entry) => weigh(key, one)
    const [old, now] = [before ? weight(before) : 0n, entry ? weight(entry) : 0n]
    if (old === now) return false
    digest ^= old ^ now
    if (entry) entries.set(key, entry)
    else entries.delete(key)
    return true
  }

  function setEnvironments(next: Environments): boolean {
    const [old, now] = [weigh('environments', environments), weigh('environments', next)]
    if (old === now) return false
    digest ^= old ^ now
    environments = next
    return true
  }

  /** From now on this is what gateways should have. */
  function publish(next: number, keys: string[], withEnvironments: boolean): void {
    version = next
    changes.push({ version, keys, environments: withEnvironments })
    if (changes.length > keptChanges) changes.splice(0, changes.length - keptChanges)
  }

  /** What brings a gateway from a version it has to this one; the whole document where that is unknown. */
  function offer(from: number): { baseVersion: number; document: AccessDocument } {
    const since = changes.filter((one) => one.version > from)
    const isKnown = from > 0 && from < version && since.length === version - from
    if (!isKnown) return { baseVersion: 0, document: documentOf([...entries.keys()], environments) }
    const keys = [...new Set(since.flatMap((one) => one.keys))]
    const removed = keys.filter((key) => !entries.has(key))
    const changed = keys.filter((key) => entries.has(key))
    const document = documentOf(changed, since.some((one) => one.environments) ? environments : {})
    return { baseVersion: from, document: { ...document, ...(removed.length > 0 && { removed }) } }
  }

  function documentOf(keys: string[], shown: Environments): AccessDocument {
    const document: AccessDocument = { v: 1, workspace, tokens: {}, grants: {}, environments: shown }
    for (const key of keys) {
      const { id, subject, expires, grantsKey, grants } = entries.get(key)!
      document.tokens[key] = { id, subject, ...(expires !== null && { expires }), grants: grantsKey }
      document.grants[grantsKey] ??= grants
    }
    return document
  }
}

export type AccessLedger = ReturnType<typeof accessLedger>

const weigh = (key: string, content: object): bigint => BigInt(`0x${sha256(`${key}\n${canonicalize(content)}`).toString('hex')}`)
