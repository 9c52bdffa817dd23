import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { randomBytes } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import { McpgError } from '@mcpg/proto/errors'
import {
  BeginRecoveryResponseSchema,
  CompleteRecoveryResponseSchema,
  type BeginRecoveryRequest,
  type BeginRecoveryResponse,
  type CompleteRecoveryRequest,
  type CompleteRecoveryResponse,
} from '@mcpg/proto/gen/enrollment'
import type { Registry } from '../gateways/registry.ts'
import type { Authority } from '../keys/authority.ts'
import type { CredentialBook, KnownGateway } from './book.ts'
import { standingRefusal } from '../grpc/standing.ts'
import { isSignedBy, recoveryText, verifyRequest } from './proofs.ts'
import type { Credentials } from './service.ts'
import type { CertificateRow } from './store.ts'

/** Recoveries in a row, without an ordinary renewal between them. */
const maxRecoveries = 5
/** Challenges of one gateway that are open at once; the oldest gives way. */
const maxChallenges = 4

type Challenge = { text: string; until: number }

/** Brings back a gateway whose certificate expired while it was offline: it signs a challenge with the key of the last one. */
export function recoveryService({
  book,
  registry,
  credentials,
  authority,
  clock,
  timers,
}: {
  book: CredentialBook
  registry: Pick<Registry, 'get' | 'isDeleted'>
  credentials: Pick<Credentials, 'replace' | 'oneAtATime' | 'refuseCopy'>
  authority: Pick<Authority, 'roots'>
  clock: Clock
  timers: Timers
}) {
  const challenges = new Map<string, Challenge[]>() // by id of the gateway
  return { begin, complete }

  async function begin({ gatewayId, instanceUid }: BeginRecoveryRequest): Promise<BeginRecoveryResponse> {
    const { gateway, row } = recoverable(gatewayId)
    if (gateway.instanceUid !== instanceUid) throw unknownGateway()
    refusePast(row)
    const challenge = new Uint8Array(randomBytes(32))
    keep(gatewayId, [...openChallenges(gatewayId), { text: hex(challenge), until: clock.now() + timers.recoveryChallenge }])
    return create(BeginRecoveryResponseSchema, { challenge, serverTime: timestampFromMs(clock.now()) })
  }

  async function complete(request: CompleteRecoveryRequest, { source }: { source: string }): Promise<CompleteRecoveryResponse> {
    take(request)
    const { publicKey } = await verifyRequest(request.csr)
    const { message } = await credentials.oneAtATime(request.gatewayId, async () => {
      const { gateway, row } = recoverable(request.gatewayId)
      const sequence = Number(request.credentialSequence)
      if (isStale(gateway, row, sequence, signerOf(gateway, row, request))) await credentials.refuseCopy(gateway, source, sequence)
      refusePast(row)
      return await credentials.replace(gateway, source, { publicKey, renewalKey: null, action: 'gateway.recover' })
    })
    return create(CompleteRecoveryResponseSchema, { credential: message, trustBundle: authority.roots() })
  }

  /** Good for one answer, whatever comes of it. */
  function take({ challenge, gatewayId }: CompleteRecoveryRequest): void {
    const open = openChallenges(gatewayId)
    const taken = open.find(({ text }) => text === hex(challenge))
    keep(
      gatewayId,
      open.filter((one) => one !== taken),
    )
    if (!taken)
      throw new McpgError(
        'failed_precondition',
        'recovery_challenge_invalid',
        'The challenge is unknown, was answered before, or is too old.',
        { hint: 'begin the recovery again' },
      )
  }

  function openChallenges(gatewayId: string): Challenge[] {
    return (challenges.get(gatewayId) ?? []).filter(({ until }) => until > clock.now())
  }

  function keep(gatewayId: string, open: Challenge[]): void {
    if (open.length > 0) challenges.set(gatewayId, open.slice(-maxChallenges))
    else challenges.delete(gatewayId)
  }

  function recoverable(gatewayId: string): { gateway: KnownGateway; row: CertificateRow } {
    if (registry.isDeleted(gatewayId)) throw standingRefusal('deleted')!
    const gateway = registry.get(gatewayId)
    if (!gateway) throw unknownGateway()
    if (gateway.revokedAt !== null) throw standingRefusal('revoked')!
    if (gateway.lockedAt !== null) throw standingRefusal('locked')!
    const row = book.get(gatewayId)
    if (!row) throw new McpgError('failed_precondition', 'credential_not_recoverable', 'This gateway has a bearer, which does not expire.')
    return { gateway, row }
  }

  function refusePast({ notAfter, pendingNotAfter, recoveries }: CertificateRow): void {
    const expiredAt = Math.max(Date.parse(notAfter), pendingNotAfter === null ? 0 : Date.parse(pendingNotAfter))
    const hint = 'delete the gateway and enroll it again: mcpg-ctl enroll create, then mcpg-ctl gateway --enrollment-url <url> --re-enroll'
    if (clock.now() - expiredAt > timers.recoveryWindow)
      throw new McpgError(
        'failed_precondition',
        'recovery_window_exceeded',
        `The certificate expired at ${new Date(expiredAt).toISOString()}, more than ${Math.round(timers.recoveryWindow / 86_400_000)} days ago.`,
        { hint },
      )
    if (recoveries >= maxRecoveries)
      throw new McpgError(
        'failed_precondition',
        'recovery_limit_exceeded',
        `This gateway recovered ${recoveries} times without a renewal.`,
        { hint },
      )
  }

  /** Which of the gateway's keys signed. Throws for none: a stranger can neither recover nor lock anybody. */
  function signerOf(gateway: KnownGateway, row: CertificateRow, request: CompleteRecoveryRequest): 'current' | 'pending' | 'previous' {
    const text = recoveryText(request.challenge, gateway.id, gateway.instanceUid)
    const signed = (key: Uint8Array | null) => key !== null && isSignedBy(key, text, request.signature)
    if (signed(row.publicKey)) return 'current'
    if (signed(row.pendingKey)) return 'pending'
    if (signed(row.previousKey)) return 'previous'
    throw new McpgError(
      'unauthenticated',
      'recovery_signature_invalid',
      'The challenge is not signed by the key of the last certificate.',
      {
        hint: 'enroll the gateway again: mcpg-ctl gateway --enrollment-url <url> --re-enroll',
      },
    )
  }

  /**
   * The newest number by the newest key is right. While the newest certificate has never been used, its answer may have been lost, and
   * the one before is right too: whoever has the newer one then finds it void.
   */
  function isStale(gateway: KnownGateway, row: CertificateRow, sequence: number, signer: 'current' | 'pending' | 'previous'): boolean {
    if (signer === 'previous') return true
    if (sequence === gateway.credentialSequence) return false
    return !(signer === 'current' && row.pendingSerial !== null && sequence < gateway.credentialSequence)
  }
}

const unknownGateway = () =>
  new McpgError('not_found', 'gateway_unknown', 'No gateway has this id and installation.', {
    hint: 'enroll it again: mcpg-ctl gateway --enrollment-url <url> --re-enroll',
  })

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
