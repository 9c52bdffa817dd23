import 'reflect-metadata'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, webcrypto, type KeyObject } from 'node:crypto'

/** PKCS#8 PEM of the P-256 key that is the gateway's identity and of the X25519 key that secrets are sealed to. */
export type Keys = { identityKey: string; sealingKey: string }

export function newKeys(): Keys {
  const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
  return {
    identityKey: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
    sealingKey: pem(generateKeyPairSync('x25519').privateKey),
  }
}

/** Throws when one of them is not the key it should be. */
export function checkKeys({ identityKey, sealingKey }: Keys): void {
  if (createPrivateKey(identityKey).asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new TypeError('the identity key is not P-256')
  if (createPrivateKey(sealingKey).asymmetricKeyType !== 'x25519') throw new TypeError('the sealing key is not X25519')
}

/** What an enrollment proves: a PKCS#10 request (DER), the sealing key (32 bytes) and its signature by the identity key. */
export async function enrollmentProof({ identityKey, sealingKey }: Keys, instanceUid: string) {
  const key = createPrivateKey(identityKey)
  const sealingPublicKey = rawPublicKey(sealingKey)
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${instanceUid}`,
    keys: await webKeys(key),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  return {
    csr: new Uint8Array(request.rawData),
    sealingPublicKey,
    sealingKeySignature: new Uint8Array(sign('sha256', Buffer.concat([Buffer.from('mcpg-sealing-v1\0'), sealingPublicKey]), key)),
  }
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
