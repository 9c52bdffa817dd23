import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Registry } from '../gateways/registry.ts'
import type { PeerCertificate, Presented } from '../grpc/peers.ts'
import type { GatewayIdentity } from '../grpc/stream.ts'
import type { CertificateRow } from './store.ts'

/** A gateway as the registry has it. */
export type KnownGateway = NonNullable<ReturnType<Registry['get']>>

export type CredentialBook = ReturnType<typeof credentialBook>

/**
 * The certificates that are good now, in memory: a call is let in without asking the database, and a revocation needs no list that
 * somebody must fetch. The chain proves where a certificate came from; whether it still counts stands here.
 */
export function credentialBook({ registry, clock }: { registry: Pick<Registry, 'get' | 'identify' | 'isDeleted'>; clock: Clock }) {
  const rows = new Map<string, CertificateRow>() // by id of the gateway
  const promotions = new Set<(row: CertificateRow) => void>()
  return {
    get: (gatewayId: string) => rows.get(gatewayId),
    put: (row: CertificateRow) => void rows.set(row.gatewayId, row),
    forget: (gatewayId: string) => void rows.delete(gatewayId),
    identify,
    /** A pending certificate was used for the first time and is the current one now. */
    onPromoted: (tell: (row: CertificateRow) => void) => void promotions.add(tell),
  }

  /** Throws `unauthenticated` for what nobody was given, is expired, or comes from another authority. */
  function identify({ bearer, certificate }: Presented): GatewayIdentity {
    if (certificate) return identifyCertificate(certificate)
    if (bearer !== null) return registry.identify(bearer)
    throw new McpgError('unauthenticated', 'credential_missing', 'The call carries no credential.', {
      hint: 'enroll the gateway: mcpg-ctl gateway --enrollment-url <url>',
    })
  }

  function identifyCertificate({ serial, gatewayId, notAfter, untrusted }: PeerCertificate): GatewayIdentity {
    // Looked at for each call: a connection may outlive the certificate that opened it.
    if (untrusted === 'CERT_HAS_EXPIRED' || (untrusted === null && notAfter <= clock.now()))
      throw new McpgError('unauthenticated', 'credential_expired', `The certificate expired at ${new Date(notAfter).toISOString()}.`, {
        hint: 'a gateway recovers by itself within 30 days; after that enroll it again with --re-enroll',
      })
    if (untrusted === 'CERT_NOT_YET_VALID')
      throw new McpgError(
        'unauthenticated',
        'credential_not_yet_valid',
        'By the clock of this control plane the certificate is not valid yet.',
        {
          hint: `its clock says ${new Date(clock.now()).toISOString()}; set it right`,
        },
      )
    if (untrusted !== null || gatewayId === null)
      throw new McpgError(
        'unauthenticated',
        'credential_untrusted',
        `The certificate is not one of this control plane (${untrusted ?? 'no gateway is named in it'}).`,
        {
          hint: 'enroll it again: mcpg-ctl gateway --enrollment-url <url> --re-enroll',
        },
      )
    return { gatewayId, standing: standingOf(gatewayId, serial) }
  }

  function standingOf(gatewayId: string, serial: string): GatewayIdentity['standing'] {
    if (registry.isDeleted(gatewayId)) return 'deleted'
    const gateway = registry.get(gatewayId)
    const row = rows.get(gatewayId)
    if (!gateway || !row)
      throw new McpgError('unauthenticated', 'credential_unknown', 'No gateway has this credential.', {
        hint: 'enroll it again: mcpg-ctl gateway --enrollment-url <url> --re-enroll',
      })
    if (gateway.revokedAt !== null) return 'revoked'
    if (gateway.lockedAt !== null) return 'locked'
    if (serial === row.pendingSerial) promote(row)
    const isOver = row.overlapUntil !== null && Date.parse(row.overlapUntil) <= clock.now()
    return serial === row.serial && !isOver ? 'active' : 'superseded'
  }

  function promote(row: CertificateRow): void {
    const promoted: CertificateRow = {
      ...row,
      serial: row.pendingSerial!,
      notAfter: row.pendingNotAfter!,
      publicKey: row.pendingKey!,
      previousKey: row.publicKey,
      ...nothingPending,
    }
    Object.assign(row, promoted)
    for (const tell of promotions) tell(row)
  }
}

export const nothingPending = {
  pendingSerial: null,
  pendingNotAfter: null,
  pendingRenewAfter: null,
  pendingKey: null,
  pendingChain: null,
  overlapUntil: null,
  renewalKey: null,
} as const
