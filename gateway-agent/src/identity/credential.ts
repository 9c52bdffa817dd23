import { timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt'
import { McpgError } from '@mcpg/proto/errors'
import type { GatewayCredential, X509Chain } from '@mcpg/proto/gen/types'
import type { Credential, EndpointCertificate } from './identity-file.ts'
import { checkCertificate } from './keys.ts'

/** A credential as it came, fit to be stored. Throws McpgError when it is not one, or not for this key. */
export function credentialOf(
  { material, credentialSequence, notBefore, notAfter, renewAfter }: GatewayCredential,
  identityKey: string,
): Credential {
  const sequence = Number(credentialSequence)
  if (material.case === 'bearerToken' && material.value !== '') return { kind: 'bearer', sequence, bearerToken: material.value }
  if (material.case !== 'x509Chain' || !notAfter) throw notUsable('holds neither a bearer nor a certificate with its dates')
  const certificates = chainOf(material.value, identityKey)
  const ends = timestampMs(notAfter)
  const begins = notBefore ? timestampMs(notBefore) : Date.now()
  return {
    kind: 'x509',
    sequence,
    certificates,
    notBefore: new Date(begins).toISOString(),
    notAfter: iso(notAfter),
    // Without a word of the control plane: at half its life.
    renewAfter: renewAfter ? iso(renewAfter) : new Date((begins + ends) / 2).toISOString(),
  }
}

/** The endpoint's certificate as it came, for the key that asked for it. */
export function endpointCertificateOf(chain: X509Chain, { key, names }: { key: string; names: string[] }): EndpointCertificate {
  return { key, names, certificates: chainOf(chain, key) }
}

export const base64Of = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

function chainOf({ certificates }: X509Chain, key: string): string[] {
  const chain = certificates.map(base64Of)
  try {
    checkCertificate(key, chain)
  } catch (error) {
    throw notUsable('holds a certificate that is not for the key of its request', error)
  }
  return chain
}

const iso = (time: Timestamp) => new Date(timestampMs(time)).toISOString()

function notUsable(what: string, cause?: unknown): McpgError {
  return new McpgError('invalid', 'not_a_control_plane', `The answer of the control plane ${what}`, {
    hint: 'check that control plane and gateway have the same version: mcpg-ctl version',
    cause,
  })
}
