import { create, fromJson, toJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { randomUUID } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import { DescribeEnrollmentResponseSchema, EnrollRequestSchema, EnrollResponseSchema, type EnrollRequest } from '@mcpg/proto/gen/enrollment'
import { CredentialKind } from '@mcpg/proto/gen/types'
import { McpgError } from '@mcpg/proto/errors'
import { InstanceUid } from '@mcpg/proto/names'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db, Tx } from '../db/db.ts'
import type { Gateways } from '../gateways/service.ts'
import type { Keys } from '../keys/keys.ts'
import { verifyIdentity } from './identity-proof.ts'
import { redemptionLimits, type EnrollmentLimits } from './rate-limits.ts'
import { isoTime, targetOf } from './service.ts'
import { isAllowed, isLoopback, plainAddress } from './source.ts'
import type { Enrollment, EnrollmentStore, Redemption } from './store.ts'
import { maxTokenLength, newBearer, tokenSha256 } from './token.ts'

/** A lost answer is repeated for this long, and no longer than until the first hello. */
const replayWindowMs = 24 * 3_600_000

export type Redemptions = ReturnType<typeof redemptionService>

type Claim = { gatewayId: string; name: string; credentialSequence: number; bearer: string }

/** Turns a one-time token into a gateway: `docs/protocol.md`, on loopback with a bearer. */
export function redemptionService({
  db,
  store,
  gateways,
  keys,
  audit,
  changes,
  clock,
  limits,
  grpcEndpoints,
}: {
  db: Pick<Db, 'write'>
  store: EnrollmentStore
  gateways: Pick<Gateways, 'insertEnrolled' | 'renewBearer' | 'enrolled' | 'namesOf'>
  keys: Pick<Keys, 'signingKeys'>
  audit: Audit
  changes: Changes
  clock: Clock
  limits: EnrollmentLimits
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
        controlPlaneEndpoints: grpcEndpoints(),
        expireTime: timestampFromMs(Date.parse(enrollment.expiresAt)),
        serverTime: timestampFromMs(clock.now()),
        allowedCredentialKinds: [CredentialKind.BEARER],
      }),
    ) as JsonObject
  }

  /** `body` is an EnrollRequest in protobuf's JSON mapping. Refusals leave the token as it was. */
  async function redeem(caller: Caller, token: string, body: unknown): Promise<JsonObject> {
    gate.admit(caller.source)
    try {
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

  async function redeemOnce(caller: Caller, token: string, body: unknown): Promise<JsonObject> {
    if (!isLoopback(caller.source))
      throw new McpgError('forbidden', 'source_not_allowed', 'A credential without TLS is given to programs of this machine only.')
    const enrollment = await findEnrollment(token)
    const request = readRequest(body)
    const { spkiSha256 } = await verifyIdentity(request)
    const claim = (await replay(caller, enrollment, request, spkiSha256)) ?? (await claimOnce(caller, enrollment, request, spkiSha256))
    await gateways.enrolled(claim.gatewayId)
    changes.status(`${enrollment.org}/${enrollment.workspace}`, 'Enrollment', enrollment.name)
    return answer(enrollment, claim)
  }

  async function findEnrollment(token: string): Promise<Enrollment> {
    const found = token.length <= maxTokenLength ? await store.findByToken(tokenSha256(token)) : null
    if (!found)
      throw new McpgError('not_found', 'token_unknown', 'No enrollment has this token.', {
        hint: 'ask for a new URL: mcpg-ctl enroll create',
      })
    return found
  }

  /** The same attempt again, by the same key: the same gateway with a fresh bearer. */
  async function replay(caller: Caller, enrollment: Enrollment, request: EnrollRequest, spkiSha256: string): Promise<Claim | null> {
    const earlier = await store.findRedemption(enrollment.id, hex(request.idempotencyKey))
    if (!earlier || !isRepeatable(earlier, spkiSha256)) return null
    const bearer = newBearer()
    const renewed = await db.write(async (tx) => {
      const gateway = await gateways.renewBearer(tx, { gatewayId: earlier.gatewayId, bearerSha256: tokenSha256(bearer) })
      if (gateway)
        await audit.record(tx, caller, 'gateway.enroll_again', {
          ...targetOf(enrollment),
          kind: 'Gateway',
          name: gateway.name,
          uid: earlier.gatewayId,
        })
      return gateway
    })
    return renewed && { gatewayId: earlier.gatewayId, bearer, ...renewed }
  }

  function isRepeatable({ spkiSha256, confirmedAt, createdAt }: Redemption, presented: string): boolean {
    return spkiSha256 === presented && confirmedAt === null && clock.now() - Date.parse(createdAt) < replayWindowMs
  }

  async function claimOnce(caller: Caller, enrollment: Enrollment, request: EnrollRequest, spkiSha256: string): Promise<Claim> {
    refuseStranger(enrollment, caller.source, request.instanceUid)
    const now = isoTime(clock.now())
    const bearer = newBearer()
    const gatewayId = `gw_${randomUUID().replaceAll('-', '')}`
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
      const inserted = await gateways.insertEnrolled(tx, {
        enrollment,
        gatewayId,
        request,
        spkiSha256,
        bearerSha256: tokenSha256(bearer),
        now,
      })
      await audit.record(tx, caller, 'gateway.enroll', { ...targetOf(enrollment), kind: 'Gateway', name: inserted, uid: gatewayId })
      return inserted
    })
    if (name === null) throw await refusal(caller, enrollment)
    return { gatewayId, name, credentialSequence: 1, bearer }
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

  function answer(enrollment: Enrollment, { gatewayId, name, credentialSequence, bearer }: Claim): JsonObject {
    return toJson(
      EnrollResponseSchema,
      create(EnrollResponseSchema, {
        gatewayId,
        org: enrollment.org,
        workspace: enrollment.workspace,
        environment: enrollment.environment,
        name,
        credential: {
          credentialSequence: BigInt(credentialSequence),
          notBefore: timestampFromMs(clock.now()),
          material: { case: 'bearerToken', value: bearer },
        },
        controlPlaneEndpoints: grpcEndpoints(),
        configSigningKeys: keys.signingKeys(),
        serverTime: timestampFromMs(clock.now()),
      }),
    ) as JsonObject
  }
}

const isStorageFailure = (error: unknown): error is McpgError => error instanceof McpgError && error.code === 'unavailable'

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

function refuseStranger({ cidrs, expectedInstanceUid }: Enrollment, source: string, instanceUid: string): void {
  if (!isAllowed(source, cidrs))
    throw new McpgError('forbidden', 'source_not_allowed', `This enrollment is not for ${plainAddress(source)}.`, {
      hint: 'mcpg-ctl enroll list shows its networks',
    })
  if (expectedInstanceUid !== null && expectedInstanceUid !== instanceUid)
    throw new McpgError(
      'forbidden',
      'instance_uid_mismatch',
      `This enrollment is for the installation ${expectedInstanceUid}, not ${instanceUid}.`,
      {
        hint: `mcpg-ctl gateway --instance-uid ${expectedInstanceUid} --enrollment-url <url>`,
      },
    )
}

function readRequest(body: unknown): EnrollRequest {
  let request: EnrollRequest
  try {
    request = fromJson(EnrollRequestSchema, body as JsonValue, { ignoreUnknownFields: true })
  } catch (error) {
    throw new McpgError('invalid', 'enroll_request_invalid', 'The body is not an EnrollRequest in the JSON mapping of protobuf.', {
      cause: error,
    })
  }
  if (request.idempotencyKey.length !== 16) throw invalid('/idempotencyKey', 'must be 16 random bytes')
  const uid = InstanceUid.safeParse(request.instanceUid)
  if (!uid.success) throw invalid('/instanceUid', uid.error.issues[0]!.message)
  if (request.credentialKind !== CredentialKind.BEARER && request.credentialKind !== CredentialKind.UNSPECIFIED)
    throw new McpgError('unsupported', 'credential_kind_unsupported', 'This listener gives bearers only; certificates need TLS.', {
      status: 400,
    })
  if (request.attestationToken !== '')
    throw new McpgError('unsupported', 'attestation_unsupported', 'This control plane does not enroll by attestation.', { status: 400 })
  return request
}

const invalid = (pointer: string, detail: string) =>
  new McpgError('invalid', 'enroll_request_invalid', `${pointer} ${detail}.`, { violations: [{ pointer, detail }] })

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
