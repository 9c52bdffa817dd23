import { durationMs } from '@bufbuild/protobuf/wkt'
import type { ConfigOffer } from '@mcpg/proto/gen/gateway'
import type { Policy } from '../policy/policy.ts'
import type { DesiredServer, ServerReport } from '../servers/supervision.ts'
import { refusedReport } from './gating.ts'
import type { StateRecord } from './slots.ts'
import { isRefusal, verifyDocument, verifyHeader, type Refusal, type VerifiedConfig } from './verify.ts'

/** A config that may be staged, or why not; `servers` names those that are to blame. */
export type Checked = VerifiedConfig | (Refusal & { servers?: ServerReport[] })

/** Every check of an offer but the disk, in the order in which the reasons are promised. Touches nothing. */
export function checkOffer(
  offer: ConfigOffer,
  { gateway, policy, record }: { gateway: { gatewayId: string; keys: Uint8Array[] }; policy: Policy; record: StateRecord },
): Checked {
  const { signedHeader, signature, signingKeyId, configBytes: bytes } = offer
  const header = verifyHeader({ signedHeader, signature, signingKeyId }, gateway)
  if (isRefusal(header)) return header
  const { generation, configHash: hash } = header
  if (!repeats(offer, header)) return { reason: 'BAD_SIGNATURE', message: 'Its fields differ from its signed header.' }
  const { highest } = record
  if (highest && generation < highest.generation)
    return {
      reason: 'STALE_GENERATION',
      message: `Generation ${generation} is older than ${highest.generation}, the highest one staged here.`,
    }
  if (highest && generation === highest.generation && hash !== highest.hash)
    return {
      reason: 'CONFLICTING_GENERATION',
      message: `Generation ${generation} was staged here with another hash (${highest.hash.slice(0, 12)}…).`,
    }
  const document = verifyDocument(bytes, header)
  if (isRefusal(document)) return document
  const forbidden = checkPolicy(document.servers, policy)
  if (forbidden) return forbidden
  if (record.quarantine.includes(hash) && !header.force)
    return { reason: 'QUARANTINED', message: 'This config failed here before; it is taken again only with force.' }
  return { signedHeader, signature, signingKeyId, bytes, header, ...document }
}

/** Null when the owner of the host allows all of them; else every server that is not allowed is named. */
export function checkPolicy(servers: DesiredServer[], policy: Policy): (Refusal & { servers: ServerReport[] }) | null {
  const violations = servers.flatMap((server) => {
    const violation = policy.check(server.config)
    return violation ? [{ server, violation }] : []
  })
  if (violations.length === 0) return null
  return {
    reason: 'LOCAL_POLICY',
    message: violations.map(({ violation }) => violation.message).join('; '),
    servers: violations.map(({ server, violation }) => refusedReport(server, 'LocalPolicy', violation.message)),
  }
}

/** The fields beside the header are for readers of the wire; one that differs makes the signature bad. */
function repeats(offer: ConfigOffer, header: VerifiedConfig['header']): boolean {
  return (
    Number(offer.generation) === header.generation &&
    Buffer.from(offer.configHash).toString('hex') === header.configHash &&
    offer.contentType === header.contentType &&
    (offer.probation ? durationMs(offer.probation) : 0) === header.probationMs &&
    offer.force === header.force
  )
}
