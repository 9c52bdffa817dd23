import 'reflect-metadata'
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509'
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, webcrypto, X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

/** PKCS#8 PEM of the P-256 key that is the gateway's identity and of the X25519 key that secrets are sealed to. */
export type Keys = { identityKey: string; sealingKey: string }

export function newKeys(): Keys {
  return { identityKey: newCertificateKey(), sealingKey: pem(generateKeyPairSync('x25519').privateKey) }
}

/** PKCS#8 PEM of a P-256 key, for an identity or for the certificate of the endpoint. */
export const newCertificateKey = (): string => pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Throws when one of them is not the key it should be. */
export function checkKeys({ identityKey, sealingKey }: Keys): void {
  if (createPrivateKey(identityKey).asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new TypeError('the identity key is not P-256')
  if (createPrivateKey(sealingKey).asymmetricKeyType !== 'x25519') throw new TypeError('the sealing key is not X25519')
}

/** Throws when the chain (DER in base64, leaf first) cannot be read or its leaf is not for this key. */
export function checkCertificate(key: string, certificates: readonly string[]): void {
  const [leaf] = certificates.map((one) => new X509Certificate(Buffer.from(one, 'base64')))
  if (!leaf?.checkPrivateKey(createPrivateKey(key))) throw new TypeError('the certificate is not for its key')
}

/** What an enrollment proves: a PKCS#10 request (DER), the sealing key (32 bytes) and its signature by the identity key. */
export async function enrollmentProof({ identityKey, sealingKey }: Keys, instanceUid: string) {
  const sealingPublicKey = rawPublicKey(sealingKey)
  return {
    csr: await certificateRequest(identityKey, { commonName: instanceUid }),
    sealingPublicKey,
    sealingKeySignature: signed(identityKey, Buffer.from('mcpg-sealing-v1\0'), sealingPublicKey),
  }
}

/** A PKCS#10 request (DER) for a key, with the names that a server is to be reached by. */
export async function certificateRequest(
  key: string,
  { commonName, names = [] }: { commonName: string; names?: readonly string[] },
): Promise<Uint8Array<ArrayBuffer>> {
  const subjects = names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }))
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${commonName}`,
    keys: await webKeys(createPrivateKey(key)),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: subjects.length > 0 ? [new SubjectAlternativeNameExtension(subjects)] : [],
  })
  return new Uint8Array(request.rawData)
}

/** ECDSA with SHA-256 in DER over the parts, one after the other. */
export function signed(key: string, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(sign('sha256', Buffer.concat(parts), createPrivateKey(key)))
}

async function webKeys(privateKey: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const der = (key: KeyObject, type: 'pkcs8' | 'spki') =>
    new Uint8Array(key.export({ type, format: 'der' } as { type: 'spki'; format: 'der' }))
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', der(privateKey, 'pkcs8'), algorithm, false, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', der(createPublicKey(privateKey), 'spki'), algorithm, true, ['verify']),
  }
}

function rawPublicKey(pem: string): Uint8Array<ArrayBuffer> {
  const { x } = createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' })
  return new Uint8Array(Buffer.from(x ?? '', 'base64url'))
}
