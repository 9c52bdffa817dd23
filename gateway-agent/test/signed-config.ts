import canonicalize from 'canonicalize'
import { create } from '@bufbuild/protobuf'
import { durationFromMs } from '@bufbuild/protobuf/wkt'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { configContentType, signaturePrefix, type ConfigServerInput, type SignedHeader } from '@mcpg/proto/gateway-config'
import { ConfigOfferSchema, type ConfigOffer } from '@mcpg/proto/gen/gateway'

/** Where one bit of an offer is turned over after it was signed. */
export type Flip = 'bytes' | 'header' | 'signature'

export type OfferOptions = {
  servers: ConfigServerInput[]
  generation: number
  gatewayId?: string
  nonce?: bigint
  probationMs?: number
  force?: boolean
  contentType?: string
  flip?: Flip
  /** Replaces the document; what the hash and the signature are made of. */
  document?: unknown
}

export const sha256Hex = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** Signs configs as a control plane does, with a key of its own. */
export function configSigner({ gatewayId = 'gw_test' } = {}) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'))
  const bytesOf = (value: unknown) => new Uint8Array(Buffer.from(canonicalize(value) ?? ''))
  return { publicKey: raw, gateway: { gatewayId, keys: [raw] }, offer }

  function offer({
    servers,
    generation,
    probationMs = 0,
    force = false,
    contentType = configContentType,
    flip,
    ...options
  }: OfferOptions): ConfigOffer {
    const document = options.document ?? { v: 1, org: 'default', workspace: 'default', environment: 'default', servers }
    const configBytes = bytesOf(document)
    const configHash = sha256Hex(configBytes)
    const header: SignedHeader = {
      v: 1,
      gatewayId: options.gatewayId ?? gatewayId,
      generation,
      configHash,
      contentType,
      probationMs,
      force,
    }
    const signedHeader = bytesOf(header)
    const signature = new Uint8Array(sign(null, Buffer.concat([Buffer.from(signaturePrefix), signedHeader]), privateKey))
    if (flip === 'bytes') turn(configBytes)
    if (flip === 'header') turn(signedHeader)
    if (flip === 'signature') turn(signature)
    return create(ConfigOfferSchema, {
      nonce: options.nonce ?? BigInt(generation),
      generation: BigInt(generation),
      configHash: new Uint8Array(Buffer.from(configHash, 'hex')),
      configBytes,
      contentType,
      signedHeader,
      signature,
      signingKeyId: new Uint8Array(Buffer.from(sha256Hex(raw), 'hex')),
      probation: durationFromMs(probationMs),
      force,
    })
  }
}

function turn(bytes: Uint8Array): void {
  const middle = bytes.length >> 1
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
}
