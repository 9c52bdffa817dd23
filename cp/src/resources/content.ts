import canonicalize from 'canonicalize'
import { createHash } from 'node:crypto'

/** What a user can write of an object, exactly as written: no defaults, no order of their own. */
export type Content = { labels: Record<string, string>; annotations: Record<string, string>; spec: Record<string, unknown> }

/** Equal for equal content, whatever the order of keys: lower-case hex of SHA-256 over the canonical JSON. */
export function digestOf({ labels, annotations, spec }: Content): string {
  return createHash('sha256').update(canonicalize({ labels, annotations, spec })!).digest('hex')
}

export const sameJson = (one: unknown, other: unknown): boolean => canonicalize(one) === canonicalize(other)
