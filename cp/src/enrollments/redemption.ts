import { create, toJson, type JsonObject } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { randomUUID } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import { DescribeEnrollmentResponseSchema, EnrollResponseSchema, type EnrollRequest } from '@mcpg/proto/gen/enrollment'
import { CredentialKind } from '@mcpg/proto/gen/types'
import { McpgError } from '@mcpg/proto/errors'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db, Tx } from '../db/db.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Gateways } from '../gateways/service.ts'
import type { EndpointLeaf, Endpoints } from '../credentials/endpoint.ts'
import { bearerMessage, type CredentialMessage } from '../credentials/issue.ts'
import { verifyIdentity } from '../credentials/proofs.ts'
import type { Credentials } from '../credentials/service.ts'
import type { Authority } from '../keys/authority.ts'
import type { Keys } from '../keys/keys.ts'
import { readEnrollRequest } from './enroll-request.ts'
import { redemptionLimits, type EnrollmentLimits } from './rate-limits.ts'
import { isoTime, targetOf } from './service.ts'
import { isAllowed, isLoopback, plainAddress } from './source.ts'
import type { Enrollment, EnrollmentStore, Redemption } from './store.ts'
import { maxTokenLength, newBearer, tokenSha256 } from './token.ts'

/** A lost answer is repeated for this long, and no longer than until the first hello. */
const replayWindowMs = 24 * 3_600_000

export type Redemptions = ReturnType<typeof redemptionService>

type Claim = { gatewayId: string; name: string; credential: CredentialMessage; endpoint: EndpointLeaf | undefined }

/** Which replica shows this token, as its cluster says. Throws where it is none of the group that the enrollment is for. */
export type AttestReplica = (enrollment: { expectedInstanceUid: string | null }, token: string) => Promise<string>

/** Who asks, how, and with which proven key. */
type Attempt = { caller: Caller; enrollment: Enrollment; request: EnrollRequest; publicKey: Uint8Array<ArrayBuffer>; spkiSha256: string }

/** A credential that is made and not yet committed; a bearer is stored as its hash. */
type Prepared = {
  bearerSha256: string | null
  store(tx: Tx): Promise<void>
  /** For the trail; a bearer leaves nothing there. */
  detail?: { serial: string; notAfter: string }
  committed(): void
  message(sequence: number): CredentialMessage
}

/** Turns a one-time token into a gateway (`docs/protocol.md`): with a certificate over TLS, with a bearer on loopback. */
export function redemptionService({
  db,
  store,
  gateways,
  registry,
  credentials,
  endpoints,
  attest,
  authority,
  keys,
  audit,
  changes,
  clock,
  limits,
  credentialKind,
  grpcEndpoints,
}: {
  db: Pick<Db, 'write'>
  store: EnrollmentStore
  gateways: Pick<Gateways, 'insertEnrolled' | 'remove' | 'renewCredential' | 'enrolled' | 'namesOf'>
  registry: Pick<Registry, 'list'>
  credentials: Pick<Credentials, 'first'>
  endpoints: Endpoints
  attest: AttestReplica
  authority: Pick<Authority, 'roots'>
  keys: Pick<Keys, 'signingKeys'>
  audit: Audit
  changes: Changes
  clock: Clock
  limits: EnrollmentLimits
  /** What the listener of the gateways takes: certificates over TLS, bearers on loopback. */
  credentialKind: CredentialKind.X509 | CredentialKind.BEARER
  /** host:port list of the gRPC listeners. */
  grpcEndpoints: () => string[]
}) {
  const gate = redemptionLimits({ limits, clock })
  return { describe, redeem }

  /** Reads only. A used token is described too: the holder of a lost answer looks before it repeats. */
  async function describe(token: string): Promise<JsonObject> {
    const enrollment = await findEnrollment(token)
    if (enrollment.usedCount === 0) refuseEnded(enrollment)
    return toJson(
      DescribeEnrollmentResponseSchema,
      create(DescribeEnrollmentResponseSchema, {
        trustBundle: authority.roots(),
        controlPlaneEndpoints: grpcEndpoints(),
        expireTime: timestampFromMs(Date.parse(enrollment.expiresAt)),
        serverTime: timestampFromMs(clock.now()),
        allowedCredentialKinds: [credentialKind],
      }),
    ) as JsonObject
  }

  /** `body` is an EnrollRequest in protobuf's JSON mapping; `secure`: it came over TLS. Refusals leave the token as it was. */
  async function redeem(caller: Caller, { token, secure }: { token: string; secure: boolean }, body: unknown): Promise<JsonObject> {
    gate.admit(caller.source)
    try {
      refuseExposed(caller.source, secure)
      return await redeemOnce(caller, token, body)
    } catch (error) {
      if (isStorageFailure(error))
        throw new McpgError('unavailable', 'storage_unavailable', 'The control plane cannot reach its database.', {
          hint: 'try again in a moment; the token is as it was',
          retryAfterSeconds: error.retryAfterSeconds ?? 5,
          cause: error,
        })
      if (error instanceof McpgError) gate.countFailure(caller.source)
      throw error
    }
  }

  /** What is given to whom: nothing over an open wire, and a bearer, which anybody can use who has it, only inside this machine. */
  function refuseExposed(source: string, secure: boolean): void {
    if (isLoopback(source)) return
    if (!secure)
      throw new McpgError('forbidden', 'tls_required', 'Enrollment from another machine needs TLS.', {
        hint: 'use the https URL of mcpg-ctl enroll create',
      })
    if (credentialKind === CredentialKind.BEARER)
      throw new McpgError('forbidden', 'source_not_allowed', 'This control plane listens to gateways of its own machine only.', {
        hint: 'start it with --bind-grpc <address>:7844',
      })
  }

  async function redeemOnce(caller: Caller, token: string, body: unknown): Promise<JsonObject> {
    const enrollment = await findEnrollment(token)
    const request = readEnrollRequest(body, credentialKind)
    const attempt = { caller, enrollment, request, ...(await verifyIdentity(request)) }
    await refuseUnattested(attempt)
    const claim = (await replay(attempt)) ?? (await claimOnce(attempt))
    await gateways.enrolled(claim.gatewayId)
    changes.status(`${enrollment.org}/${enrollment.workspace}`, 'Enrollment', enrollment.name)
    return answer(enrollment, claim)
  }

  /** A URL that holds no secret is worth nothing without the word of the cluster. */
  async function refuseUnattested({ enrollment, request: { attestationToken, instanceUid } }: Attempt): Promise<void> {
    if (!enrollment.byAttestation) {
      if (attestationToken === '') return
      throw new McpgError('unsupported', 'attestation_unsupported', 'This enrollment is redeemed by its URL, without attestation.', {
        status: 400,
      })
    }
    refuseEnded(enrollment)
    if (attestationToken === '')
      throw new McpgError(
        'forbidden',
        'attestation_required',
        'This enrollment is for replicas of a managed gateway, which are attested.',
        {
          hint: 'for another gateway: mcpg-ctl enroll create',
        },
      )
    const attested = await attest(enrollment, attestationToken)
    if (attested !== instanceUid) throw uidMismatch(attested, instanceUid)
  }

  async function endpointOf({ endpointCsr }: EnrollRequest, gatewayId: string, source: string): Promise<EndpointLeaf | undefined> {
    return endpointCsr.length > 0 ? await endpoints.issue(endpointCsr, gatewayId, plainAddress(source)) : undefined
  }

  async function prepare(gateway: { id: string; org: string; workspace: string }, publicKey: Uint8Array<ArrayBuffer>): Promise<Prepared> {
    if (credentialKind === CredentialKind.X509) return { bearerSha256: null, ...(await credentials.first(gateway, publicKey)) }
    const bearer = newBearer()
    return {
      bearerSha256: tokenSha256(bearer),
      store: async () => {},
      committed: () => {},
      message: (sequence) => bearerMessage(sequence, clock.now(), bearer),
    }
  }

  async function findEnrollment(token: string): Promise<Enrollment> {
    const found = token.length <= maxTokenLength ? await store.findByToken(tokenSha256(token)) : null
    if (!found)
      throw new McpgError('not_found', 'token_unknown', 'No enrollment has this token.', {
        hint: 'ask for a new URL: mcpg-ctl enroll create',
      })
    return found
  }

  /** The same attempt again, by the same key: the same gateway with a fresh credential. */
  async function replay({ caller, enrollment, request, publicKey, spkiSha256 }: Attempt): Promise<Claim | null> {
    const earlier = await store.findRedemption(enrollment.id, hex(request.idempotencyKey))
    if (!earlier || !isRepeatable(earlier, spkiSha256)) return null
    const { gatewayId } = earlier
    const endpoint = await endpointOf(request, gatewayId, caller.source)
    const prepared = await prepare({ ...enrollment, id: gatewayId }, publicKey)
    const renewed = await db.write(async (tx) => {
      const gateway = await gateways.renewCredential(tx, { gatewayId, bearerSha256: prepared.bearerSha256 })
      if (!gateway) return null
      await prepared.store(tx)
      await audit.record(tx, caller, 'gateway.enroll_again', issuedTo(enrollment, gatewayId, gateway.name, prepared, endpoint))
      return gateway
    })
    if (!renewed) return null
    prepared.committed()
    return { gatewayId, name: renewed.name, credential: prepared.message(renewed.credentialSequence), endpoint }
  }

  function isRepeatable({ spkiSha256, confirmedAt, createdAt }: Redemption, presented: string): boolean {
    return spkiSha256 === presented && confirmedAt === null && clock.now() - Date.parse(createdAt) < replayWindowMs
  }

  async function claimOnce({ caller, enrollment, request, publicKey, spkiSha256 }: Attempt): Promise<Claim> {
    refuseStranger(enrollment, caller.source, request.instanceUid)
    await replaceReplica(caller, enrollment, request.instanceUid)
    const now = isoTime(clock.now())
    const gatewayId = `gw_${randomUUID().replaceAll('-', '')}`
    // What the endpoint may not have is refused before the token is used.
    const endpoint = await endpointOf(request, gatewayId, caller.source)
    const prepared = await prepare({ ...enrollment, id: gatewayId }, publicKey)
    const redemption: Redemption = {
      enrollmentId: enrollment.id,
      idempotencyKey: hex(request.idempotencyKey),
      spkiSha256,
      gatewayId,
      source: plainAddress(caller.source),
      createdAt: now,
      confirmedAt: null,
    }
    const name = await db.write(async (tx) => {
      // One conditional update decides the race between two agents holding the same token; whatever throws below gives the use back.
      if (!(await store.claim(tx, enrollment.id, now))) return null
      await refuseSecondKey(tx, redemption)
      await store.insertRedemption(tx, redemption)
      const { bearerSha256 } = prepared
      const inserted = await gateways.insertEnrolled(tx, { enrollment, gatewayId, request, spkiSha256, bearerSha256, now })
      await prepared.store(tx)
      await audit.record(tx, caller, 'gateway.enroll', issuedTo(enrollment, gatewayId, inserted, prepared, endpoint))
      return inserted
    })
    if (name === null) throw await refusal(caller, enrollment)
    prepared.committed()
    return { gatewayId, name, credential: prepared.message(1), endpoint }
  }

  /**
   * A replica on a new volume comes without its identity: whoever had it before is not the pod that the cluster attests. The first one may
   * have been called as all of them are, from when it was alone.
   */
  async function replaceReplica(
    caller: Caller,
    { byAttestation, expectedInstanceUid: group, ...scope }: Enrollment,
    instanceUid: string,
  ): Promise<void> {
    if (!byAttestation) return
    const names = instanceUid === `${group}-0` ? [instanceUid, group] : [instanceUid]
    const before = registry.list(scope).find((row) => names.includes(row.instanceUid))
    if (before?.origin !== 'managed') return
    if (before.revokedAt !== null || before.lockedAt !== null)
      throw new McpgError(
        'failed_precondition',
        'gateway_revoked',
        `The gateway ${before.name} was revoked or locked, and is not replaced.`,
        {
          hint: `mcpg-ctl describe gateway/${before.name}`,
        },
      )
    await gateways.remove(caller, scope, before.id)
  }

  /** Why the claim was lost. Somebody else's use is worth an alert: the token has been seen by two. */
  async function refusal(caller: Caller, { id, org, workspace, environment, name }: Enrollment): Promise<McpgError> {
    const now = await store.find({ org, workspace, environment }, name)
    if (now && now.usedCount < now.maxUses) refuseEnded(now)
    const uses = await store.redemptionsOf([id])
    if (now)
      await db.write((tx) =>
        audit.record(tx, caller, 'enrollment.reuse_refused', {
          ...targetOf(now),
          detail: { alert: true, usedBy: uses.map((one) => one.gatewayId) },
        }),
      )
    return alreadyUsed(uses, now?.maxUses ?? 1)
  }

  /** Whoever shows the token holds it and could have used it, so the name of the gateway tells nothing new. */
  async function alreadyUsed(uses: Redemption[], maxUses: number): Promise<McpgError> {
    const names = await gateways.namesOf(uses.map((one) => one.gatewayId))
    const [first] = uses
    const message =
      maxUses > 1
        ? `This enrollment token was already used: all ${maxUses} uses are taken.`
        : `This enrollment token was already used${first ? ` at ${first.createdAt} by ${names.get(first.gatewayId)}` : ''}.`
    return new McpgError('conflict', 'token_already_used', message, {
      hint: 'ask for a new URL: mcpg-ctl enroll create; if nobody should have used this one, look for a stranger: mcpg-ctl get gateways',
    })
  }

  function refuseEnded({ revokedAt, expiresAt }: Enrollment): void {
    const hint = 'ask for a new URL: mcpg-ctl enroll create'
    if (revokedAt !== null) throw new McpgError('gone', 'token_revoked', `This enrollment token was revoked at ${revokedAt}.`, { hint })
    if (Date.parse(expiresAt) <= clock.now())
      throw new McpgError('gone', 'token_expired', `This enrollment token expired at ${expiresAt}.`, { hint })
  }

  function answer(enrollment: Enrollment, { gatewayId, name, credential, endpoint }: Claim): JsonObject {
    return toJson(
      EnrollResponseSchema,
      create(EnrollResponseSchema, {
        gatewayId,
        org: enrollment.org,
        workspace: enrollment.workspace,
        environment: enrollment.environment,
        name,
        credential,
        trustBundle: authority.roots(),
        controlPlaneEndpoints: grpcEndpoints(),
        configSigningKeys: keys.signingKeys(),
        serverTime: timestampFromMs(clock.now()),
        ...(endpoint && { endpointCertificate: endpoint.chain }),
      }),
    ) as JsonObject
  }
}

/** What the trail says of a gateway that got a credential. */
function issuedTo(enrollment: Enrollment, uid: string, name: string, { detail }: Prepared, endpoint: EndpointLeaf | undefined) {
  const issued = { ...detail, ...(endpoint && { endpointNames: endpoint.names }) }
  return { ...targetOf(enrollment), kind: 'Gateway', name, uid, ...(Object.keys(issued).length > 0 && { detail: issued }) }
}

const isStorageFailure = (error: unknown): error is McpgError =>
  error instanceof McpgError && error.code === 'unavailable' && error.reason !== 'attestation_unavailable'

/** The same idempotency key with another public key is another installation. */
async function refuseSecondKey(tx: Tx, { enrollmentId, idempotencyKey }: Redemption): Promise<void> {
  const earlier = await tx.redemption.findUnique({ where: { enrollmentId_idempotencyKey: { enrollmentId, idempotencyKey } } })
  if (earlier)
    throw new McpgError(
      'conflict',
      'token_already_used',
      'This attempt was already used, by another key or by a gateway that has connected since.',
      {
        hint: 'ask for a new URL: mcpg-ctl enroll create',
      },
    )
}

function refuseStranger({ cidrs, expectedInstanceUid, byAttestation }: Enrollment, source: string, instanceUid: string): void {
  if (!isAllowed(source, cidrs))
    throw new McpgError('forbidden', 'source_not_allowed', `This enrollment is not for ${plainAddress(source)}.`, {
      hint: 'mcpg-ctl enroll list shows its networks',
    })
  if (byAttestation || expectedInstanceUid === null || expectedInstanceUid === instanceUid) return
  throw uidMismatch(expectedInstanceUid, instanceUid)
}

const uidMismatch = (expected: string, given: string) =>
  new McpgError('forbidden', 'instance_uid_mismatch', `This enrollment is for the installation ${expected}, not ${given}.`, {
    hint: `mcpg-ctl gateway --instance-uid ${expected} --enrollment-url <url>`,
  })

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
