import { createHash } from 'node:crypto'
import { AccessDocument, accessSignaturePrefix, accessSignedPart } from '@mcpg/proto/access-document'
import type { AccessOffer } from '@mcpg/proto/gen/delivery'
import { isSignedBy, jsonOf, keyNamed } from '../identity/signed.ts'

type Signed = Pick<AccessOffer, 'version' | 'baseVersion' | 'document' | 'signature' | 'signingKeyId'>

/** The document of an offer that is signed for this gateway by one of the keys (raw Ed25519, 32 bytes each), else why not, in words. */
export function verifiedDocument(offer: Signed, { gatewayId, keys }: { gatewayId: string; keys: Uint8Array[] }): AccessDocument | string {
  const { version, baseVersion, document, signature, signingKeyId } = offer
  const key = keyNamed(keys, signingKeyId)
  if (!key) return 'It is signed by a key that this gateway does not know.'
  const part = accessSignedPart({ gatewayId, version, baseVersion, documentSha256: createHash('sha256').update(document).digest() })
  if (!isSignedBy(key, accessSignaturePrefix, part, signature)) return 'Its signature does not fit.'
  const read = AccessDocument.safeParse(jsonOf(document))
  return read.success ? read.data : 'It is of a form that this version does not know.'
}
