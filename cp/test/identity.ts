import 'reflect-metadata'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { generateKeyPairSync, KeyObject, randomBytes, sign, webcrypto } from 'node:crypto'
import { create, toJson, type JsonObject } from '@bufbuild/protobuf'
import { EnrollRequestSchema } from '@mcpg/proto/gen/enrollment'
import { CredentialKind } from '@mcpg/proto/gen/types'

export type Identity = Awaited<ReturnType<typeof newIdentity>>

/** The keys that an installation makes before it talks, with the proofs about them. */
export async function newIdentity() {
  const keys = (await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: 'CN=gateway', keys, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } },
    webcrypto as never,
  )
  const sealing = generateKeyPairSync('x25519')
  const raw = (key: KeyObject, part: 'x' | 'd') => new Uint8Array(Buffer.from(key.export({ format: 'jwk' })[part] ?? '', 'base64url'))
  const sealingPublicKey = raw(sealing.publicKey, 'x')
  const vouched = Buffer.concat([Buffer.from('mcpg-sealing-v1\0'), sealingPublicKey])
  const signature = sign('sha256', vouched, KeyObject.from(keys.privateKey))
  return {
    csr: new Uint8Array(request.rawData),
    sealingPublicKey,
    sealingKeySignature: new Uint8Array(signature),
    idempotencyKey: new Uint8Array(randomBytes(16)),
    sealingPrivateKey: raw(sealing.privateKey, 'd'),
  }
}

/** An EnrollRequest as it is posted. */
export function enrollRequest({ sealingPrivateKey: _private, ...identity }: Identity, instanceUid: string): JsonObject {
  return toJson(
    EnrollRequestSchema,
    create(EnrollRequestSchema, { ...identity, instanceUid, credentialKind: CredentialKind.BEARER }),
  ) as JsonObject
}
