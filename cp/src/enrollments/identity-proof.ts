import 'reflect-metadata'
import { Pkcs10CertificateRequest } from '@peculiar/x509'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { McpgError } from '@mcpg/proto/errors'

const sealingPrefix = Buffer.from('mcpg-sealing-v1\0')

/**
 * What an installation proves about its keys: that it holds the private half of the CSR's key (the CSR signs itself), and that this key
 * vouches for the sealing key. The signature is ECDSA with SHA-256 in DER. Throws `invalid`, before any token is touched.
 */
export async function verifyIdentity(proof: {
  csr: Uint8Array
  sealingPublicKey: Uint8Array
  sealingKeySignature: Uint8Array
}): Promise<{ spkiSha256: string }> {
  const spki = await verifiedSpki(proof.csr)
  if (proof.sealingPublicKey.length !== 32)
    throw refused('sealing_key_invalid', 'sealingPublicKey must be an X25519 public key of 32 bytes.')
  if (!verifySealingKey(spki, proof.sealingPublicKey, proof.sealingKeySignature))
    throw refused('sealing_key_invalid', 'sealingKeySignature is not a signature of the sealing key by the key of the CSR.')
  return { spkiSha256: createHash('sha256').update(spki).digest('hex') }
}

async function verifiedSpki(csr: Uint8Array): Promise<Buffer> {
  try {
    const request = new Pkcs10CertificateRequest(new Uint8Array(csr))
    const spki = Buffer.from(request.publicKey.rawData)
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
      throw refused('csr_invalid', 'The CSR must be for a P-256 key.')
    if (await request.verify()) return spki
  } catch (error) {
    if (error instanceof McpgError) throw error
    throw refused('csr_invalid', 'csr is not a PKCS#10 request in DER.', error)
  }
  throw refused('csr_invalid', 'The CSR is not signed by the key that it names.')
}

function verifySealingKey(spki: Buffer, sealingKey: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  return verify('sha256', Buffer.concat([sealingPrefix, sealingKey]), key, signature)
}

const refused = (reason: string, message: string, cause?: unknown) => new McpgError('invalid', reason, message, { cause })
