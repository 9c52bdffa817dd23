import canonicalize from 'canonicalize'
import { createHash } from 'node:crypto'
import { configContentType, GatewayConfig, type ConfigProject, SignedHeader, signaturePrefix } from '@mcpg/proto/gateway-config'
import type { ConfigFailure } from '@mcpg/proto/status'
import { isSignedBy, jsonOf, keyNamed } from '../identity/signed.ts'
import type { DesiredServer } from '../servers/supervision.ts'

/** A config as it travels and as it lies on disk: exact bytes, never made canonical again. */
export type SignedConfig = { signedHeader: Uint8Array; signature: Uint8Array; signingKeyId: Uint8Array; bytes: Uint8Array }

/** A config that passed every check of its own; what does not depend on what else is here. */
export type VerifiedConfig = SignedConfig & { header: SignedHeader; servers: DesiredServer[]; projects: ConfigProject[] }

export type Refusal = { reason: ConfigFailure; message: string }

export const maxConfigBytes = 1024 * 1024

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** The header, if its signature is by one of the keys (raw Ed25519, 32 bytes each) and it is for this gateway. */
export function verifyHeader(
  config: Omit<SignedConfig, 'bytes'>,
  { gatewayId, keys }: { gatewayId: string; keys: Uint8Array[] },
): SignedHeader | Refusal {
  const key = keyNamed(keys, config.signingKeyId)
  if (!key) return { reason: 'BAD_SIGNATURE', message: 'It is signed by a key that this gateway does not know.' }
  if (!isSignedBy(key, signaturePrefix, config.signedHeader, config.signature))
    return { reason: 'BAD_SIGNATURE', message: 'Its signature does not fit its header.' }
  const header = SignedHeader.safeParse(jsonOf(config.signedHeader))
  if (!header.success) return { reason: 'INVALID', message: 'Its signed header is of a form that this version does not know.' }
  if (header.data.gatewayId !== gatewayId)
    return { reason: 'WRONG_GATEWAY', message: `It is signed for gateway ${header.data.gatewayId}, this is ${gatewayId}.` }
  return header.data
}

/** Servers and projects of the document behind a verified header. */
export function verifyDocument(bytes: Uint8Array, header: SignedHeader): Pick<VerifiedConfig, 'servers' | 'projects'> | Refusal {
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
  const raw = jsonOf(bytes)
  const document = GatewayConfig.safeParse(raw)
  if (!document.success) {
    const issues = document.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'the document'}: ${issue.message}`)
    return { reason: 'INVALID', message: `It fails its schema: ${issues.join('; ')}` }
  }
  const { projects } = document.data
  const twice = repeated(document.data.servers)
  if (twice) return { reason: 'INVALID', message: `It names the server ${twice.name} twice.` }
  const doubled = repeated(projects)
  if (doubled) return { reason: 'INVALID', message: `It names the project ${doubled.name} twice.` }
  const { servers } = raw as { servers: unknown[] }
  return {
    servers: document.data.servers.map((config, index) => ({ config, subHash: sha256(canonicalize(servers[index]) ?? '') })),
    projects,
  }
}

function repeated<Named extends { name: string }>(all: readonly Named[]): Named | undefined {
  const seen = new Set<string>()
  return all.find(({ name }) => seen.has(name) || !seen.add(name))
}

export const isRefusal = (value: object): value is Refusal => 'reason' in value
