import { createHash, createPublicKey, verify } from 'node:crypto'

/** The key (raw Ed25519, 32 bytes) that is named by the SHA-256 of it. */
export const keyNamed = (keys: readonly Uint8Array[], id: Uint8Array): Uint8Array | undefined =>
  keys.find((key) => createHash('sha256').update(key).digest().equals(id))

/** Whether the signature is by the key, over what is signed with the prefix of its kind before it. */
export function isSignedBy(key: Uint8Array, prefix: string, signed: Uint8Array, signature: Uint8Array): boolean {
  try {
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key).toString('base64url') }, format: 'jwk' })
    return verify(null, Buffer.concat([Buffer.from(prefix), signed]), publicKey, signature)
  } catch {
    return false
  }
}

/** Undefined for bytes that are no UTF-8 or no JSON. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}
