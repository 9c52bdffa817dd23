import { create } from '@bufbuild/protobuf'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { type AccessDocument, accessSignaturePrefix, accessSignedPart } from '@mcpg/proto/access-document'
import { AccessOfferSchema } from '@mcpg/proto/gen/delivery'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
const { publicKey, privateKey } = generateKeyPairSync('ed25519')

/** The key of a control plane (raw Ed25519), by which `signedOffer` is signed. */
export const signingKey = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url'))

type Options = { gatewayId?: string; baseVersion?: number; change?: (bytes: Buffer) => Buffer }

/** An access document as it is sent; `change` spoils it after it was signed. */
export function signedOffer(
  version: number,
  document: Partial<AccessDocument>,
  { gatewayId = 'gw_1', baseVersion = 0, change = (bytes) => bytes }: Options = {},
) {
  const bytes = Buffer.from(JSON.stringify({ v: 1, workspace: 'default', tokens: {}, grants: {}, environments: {}, ...document }))
  const numbers = { version: BigInt(version), baseVersion: BigInt(baseVersion) }
  const part = accessSignedPart({ gatewayId, ...numbers, documentSha256: sha256(bytes) })
  const signature = new Uint8Array(sign(null, Buffer.concat([Buffer.from(accessSignaturePrefix), part]), privateKey))
  return create(AccessOfferSchema, {
    ...numbers,
    document: new Uint8Array(change(bytes)),
    signature,
    signingKeyId: new Uint8Array(sha256(signingKey)),
  })
}
