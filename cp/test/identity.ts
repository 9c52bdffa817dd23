import 'reflect-metadata'
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension, type JsonGeneralName } from '@peculiar/x509'
import { generateKeyPairSync, KeyObject, randomBytes, sign, webcrypto } from 'node:crypto'
import { create, toJson, type JsonObject } from '@bufbuild/protobuf'
import { EnrollRequestSchema } from '@mcpg/proto/gen/enrollment'
import { CredentialKind } from '@mcpg/proto/gen/types'

export type Identity = Awaited<ReturnType<typeof newIdentity>>

export async function newKeys(namedCurve = 'P-256'): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
}

/** A PKCS#10 request, DER. */
export async function csrOf(keys: webcrypto.CryptoKeyPair, names: JsonGeneralName[] = []): Promise<Uint8Array<ArrayBuffer>> {
  const request = await Pkcs10CertificateRequestGenerator.create(
    {
      name: 'CN=gateway',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : [],
    },
    webcrypto as never,
  )
  return new Uint8Array(request.rawData)
}

export const pemOfKey = (keys: webcrypto.CryptoKeyPair): string =>
  KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }) as string

/** ECDSA with SHA-256 in DER. */
export const signWith = (keys: webcrypto.CryptoKeyPair, text: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(sign('sha256', text, KeyObject.from(keys.privateKey)))

/** The keys that an installation makes before it talks, with the proofs about them. */
export async function newIdentity() {
  const keys = await newKeys()
  const sealing = generateKeyPairSync('x25519')
  const raw = (key: KeyObject, part: 'x' | 'd') => new Uint8Array(Buffer.from(key.export({ format: 'jwk' })[part] ?? '', 'base64url'))
  const sealingPublicKey = raw(sealing.publicKey, 'x')
  return {
    keys,
    csr: await csrOf(keys),
    sealingPublicKey,
    sealingKeySignature: signWith(keys, Buffer.concat([Buffer.from('mcpg-sealing-v1\0'), sealingPublicKey])),
    idempotencyKey: new Uint8Array(randomBytes(16)),
    sealingPrivateKey: raw(sealing.privateKey, 'd'),
  }
}

/** An EnrollRequest as it is posted. */
export function enrollRequest(
  { csr, sealingPublicKey, sealingKeySignature, idempotencyKey, endpointCsr }: Identity & { endpointCsr?: Uint8Array<ArrayBuffer> },
  instanceUid: string,
  credentialKind = CredentialKind.BEARER,
): JsonObject {
  const proofs = { csr, sealingPublicKey, sealingKeySignature, idempotencyKey, ...(endpointCsr && { endpointCsr }) }
  const message = create(EnrollRequestSchema, { ...proofs, instanceUid, credentialKind })
  return toJson(EnrollRequestSchema, message) as JsonObject
}
