import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import { X509ChainSchema, type GatewayCredentialSchema } from '@mcpg/proto/gen/types'
import type { Authority, Leaf } from '../keys/authority.ts'

export type CredentialMessage = MessageInitShape<typeof GatewayCredentialSchema>

/** A certificate with the time, in milliseconds since 1970, at which its gateway should ask for the next one. */
export type IssuedLeaf = Leaf & { renewAfter: number }

/** Makes the client certificates of gateways. */
export function clientCertificates({ authority, clock, timers }: { authority: Authority; clock: Clock; timers: Timers }) {
  return { issue }

  async function issue(gateway: { id: string; org: string; workspace: string }, publicKey: Uint8Array): Promise<IssuedLeaf> {
    const name = `spiffe://${authority.trustDomain}/org/${gateway.org}/ws/${gateway.workspace}/gateway/${gateway.id}`
    const leaf = await authority.issue({
      subject: `CN=${gateway.id}`,
      publicKey,
      names: [{ type: 'url', value: name }],
      use: 'client',
      lifeMs: timers.certificateLife,
    })
    return { ...leaf, renewAfter: halfWay(clock.now(), leaf.notAfter) }
  }
}

/** Half of what is left, ±10 %: a fleet that enrolled together does not renew together. */
function halfWay(now: number, end: number): number {
  return Math.round(now + ((end - now) / 2) * (0.9 + Math.random() * 0.2))
}

export function certificateMessage(
  sequence: number,
  leaf: { notBefore?: number; notAfter: number; renewAfter: number; chain: Uint8Array[] },
): CredentialMessage {
  return {
    credentialSequence: BigInt(sequence),
    ...(leaf.notBefore !== undefined && { notBefore: timestampFromMs(leaf.notBefore) }),
    notAfter: timestampFromMs(leaf.notAfter),
    renewAfter: timestampFromMs(leaf.renewAfter),
    material: { case: 'x509Chain', value: create(X509ChainSchema, { certificates: leaf.chain as Uint8Array<ArrayBuffer>[] }) },
  }
}

export const bearerMessage = (sequence: number, notBefore: number, bearer: string): CredentialMessage => ({
  credentialSequence: BigInt(sequence),
  notBefore: timestampFromMs(notBefore),
  material: { case: 'bearerToken', value: bearer },
})
