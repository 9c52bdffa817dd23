import type { SecretReference } from './gateway-config.ts'

/** HPKE base mode: X25519, HKDF-SHA256, AES-256-GCM; this is its `info`. */
export const secretSealingInfo: Uint8Array<ArrayBuffer> = new TextEncoder().encode('mcpg-secret-v1')

/** Values asked for at once: with 64 KiB each they fit into one answer of 4 MiB. */
export const maxSecretsPerRequest = 32

/**
 * What a sealed value is bound to: gateway id, name and key in UTF-8, each with its length in 16 bits before it, and the version in 64
 * bits; big-endian. One that is moved to another gateway, key or version does not open.
 */
export function secretAssociatedData(gatewayId: string, { name, key, version }: SecretReference): Uint8Array<ArrayBuffer> {
  const parts = [gatewayId, name, key].map((part) => new TextEncoder().encode(part))
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + 2 + part.length, 8))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const part of parts) {
    view.setUint16(at, part.length)
    bytes.set(part, at + 2)
    at += 2 + part.length
  }
  view.setBigUint64(at, BigInt(version))
  return bytes
}
