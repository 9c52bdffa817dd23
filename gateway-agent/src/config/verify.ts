import canonicalize from 'canonicalize'
import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto'
import { configContentType, GatewayConfig, SignedHeader, signaturePrefix } from '@mcpg/proto/gateway-config'
import type { ConfigFailure } from '@mcpg/proto/status'
import type { DesiredServer } from '../servers/supervision.ts'

/** A config as it travels and as it lies on disk: exact bytes, never made canonical again. */
export type SignedConfig = { signedHeader: Uint8Array; signature: Uint8Array; signingKeyId: Uint8Array; bytes: Uint8Array }

/** A config that passed every check of its own; what does not depend on what else is here. */
export type VerifiedConfig = SignedConfig & { header: SignedHeader; servers: DesiredServer[] }

export type Refusal = { reason: ConfigFailure; message: string }

export const maxConfigBytes = 1024 * 1024

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** The header, if its signature is by one of the keys (raw Ed25519, 32 bytes each) and it is for this gateway. */
export function verifyHeader(
  config: Omit<SignedConfig, 'bytes'>,
  { gatewayId, keys }: { gatewayId: string; keys: Uint8Array[] },
): SignedHeader | Refusal {
  const key = keys.find((one) => sha256(one) === Buffer.from(config.signingKeyId).toString('hex'))
  if (!key) return { reason: 'BAD_SIGNATURE', message: 'It is signed by a key that this gateway does not know.' }
  if (!isSigned(config, key)) return { reason: 'BAD_SIGNATURE', message: 'Its signature does not fit its header.' }
  const header = SignedHeader.safeParse(parseJson(config.signedHeader))
  if (!header.success) return { reason: 'INVALID', message: 'Its signed header is of a form that this version does not know.' }
  if (header.data.gatewayId !== gatewayId)
    return { reason: 'WRONG_GATEWAY', message: `It is signed for gateway ${header.data.gatewayId}, this is ${gatewayId}.` }
  return header.data
}

/** The servers of the document behind a verified header. */
export function verifyDocument(bytes: Uint8Array, header: SignedHeader): DesiredServer[] | Refusal {
  const hash = sha256(bytes)
  if (hash !== header.configHash)
    return {
      reason: 'HASH_MISMATCH',
      message: `Its bytes have the SHA-256 ${hash.slice(0, 12)}…, signed is ${header.configHash.slice(0, 12)}….`,
    }
  if (header.contentType !== configContentType)
    return { reason: 'INVALID', message: `Its content type is ${header.contentType}, known is ${configContentType}.` }
  if (bytes.length > maxConfigBytes)
    return { reason: 'INVALID', message: `It has ${bytes.length} bytes, at most ${maxConfigBytes} are read.` }
  const raw = parseJson(bytes)
  const document = GatewayConfig.safeParse(raw)
  if (!document.success) {
    const issues = document.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'the document'}: ${issue.message}`)
    return { reason: 'INVALID', message: `It fails its schema: ${issues.join('; ')}` }
  }
  const twice = document.data.servers.find((server, index, all) => all.findIndex((other) => other.name === server.name) !== index)
  if (twice) return { reason: 'INVALID', message: `It names the server ${twice.name} twice.` }
  const { servers } = raw as { servers: unknown[] }
  return document.data.servers.map((config, index) => ({ config, subHash: sha256(canonicalize(servers[index]) ?? '') }))
}

export const isRefusal = (value: object): value is Refusal => 'reason' in value

function isSigned({ signedHeader, signature }: Omit<SignedConfig, 'bytes'>, key: Uint8Array): boolean {
  try {
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key).toString('base64url') }, format: 'jwk' })
    return verifySignature(null, Buffer.concat([Buffer.from(signaturePrefix), signedHeader]), publicKey, signature)
  } catch {
    return false
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}
