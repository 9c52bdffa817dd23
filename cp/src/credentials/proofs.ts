import 'reflect-metadata'
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { McpgError } from '@mcpg/proto/errors'

const sealingPrefix = Buffer.from('mcpg-sealing-v1\0')
const recoveryPrefix = Buffer.from('mcpg-recover-v1\0')

/** A request that proved itself: the key that signed it (SPKI, DER) and the names it asks for. */
export type VerifiedRequest = { publicKey: Uint8Array<ArrayBuffer>; names: { type: string; value: string }[] }

/**
 * Reads a PKCS#10 request: P-256, signed by its own key. What else it says of itself is not believed; subject and names of a certificate
 * are ours. Throws `invalid` naming `field`.
 */
export async function verifyRequest(csr: Uint8Array, field = 'csr'): Promise<VerifiedRequest> {
  try {
    const request = new Pkcs10CertificateRequest(new Uint8Array(csr))
    const publicKey = new Uint8Array(request.publicKey.rawData)
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
    if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
      throw refused('csr_invalid', `${field} must be for a P-256 key.`)
    if (await request.verify()) {
      const extension = request.extensions.find((one) => one instanceof SubjectAlternativeNameExtension)
      const names = extension?.names.items ?? []
      return { publicKey, names: names.map(({ type, value }) => ({ type, value })) }
    }
  } catch (error) {
    if (error instanceof McpgError) throw error
    throw refused('csr_invalid', `${field} is not a PKCS#10 request in DER.`, error)
  }
  throw refused('csr_invalid', `${field} is not signed by the key that it names.`)
}

/**
 * What an installation proves about its keys: that it holds the private half of the CSR's key, and that this key vouches for the sealing
 * key. The signature is ECDSA with SHA-256 in DER. Throws `invalid`, before any token is touched.
 */
export async function verifyIdentity(proof: {
  csr: Uint8Array
  sealingPublicKey: Uint8Array
  sealingKeySignature: Uint8Array
}): Promise<{ publicKey: Uint8Array<ArrayBuffer>; spkiSha256: string }> {
  const { publicKey } = await verifyRequest(proof.csr)
  if (proof.sealingPublicKey.length !== 32)
    throw refused('sealing_key_invalid', 'sealingPublicKey must be an X25519 public key of 32 bytes.')
  if (!isSignedBy(publicKey, Buffer.concat([sealingPrefix, proof.sealingPublicKey]), proof.sealingKeySignature))
    throw refused('sealing_key_invalid', 'sealingKeySignature is not a signature of the sealing key by the key of the CSR.')
  return { publicKey, spkiSha256: createHash('sha256').update(publicKey).digest('hex') }
}

/** What is signed in a recovery: prefix, challenge, then gateway id and installation, each with a 16-bit length before it. */
export function recoveryText(challenge: Uint8Array, gatewayId: string, instanceUid: string): Buffer {
  const parts = [gatewayId, instanceUid].flatMap((text) => {
    const bytes = Buffer.from(text)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat([recoveryPrefix, challenge, ...parts])
}

/** ECDSA with SHA-256 in DER, about 0.1 ms. `publicKey` is SPKI in DER. */
export function isSignedBy(publicKey: Uint8Array, text: Uint8Array, signature: Uint8Array): boolean {
  return verify('sha256', text, createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }), signature)
}

const refused = (reason: string, message: string, cause?: unknown) => new McpgError('invalid', reason, message, { cause })
