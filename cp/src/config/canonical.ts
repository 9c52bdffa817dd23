import canonicalize from 'canonicalize'
import { createHash } from 'node:crypto'

/** RFC 8785 bytes. */
export function canonicalBytes(value: unknown): Uint8Array<ArrayBuffer> {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('nothing to canonicalize')
  return new Uint8Array(Buffer.from(text))
}

export const sha256Hex = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
