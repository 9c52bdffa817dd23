import { create, fromJson, toJson, type JsonValue } from '@bufbuild/protobuf'
import { timestampMs } from '@bufbuild/protobuf/wkt'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fullJitter } from '@mcpg/core/backoff'
import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import { McpgError } from '@mcpg/proto/errors'
import {
  DescribeEnrollmentResponseSchema,
  EnrollRequestSchema,
  EnrollResponseSchema,
  type EnrollResponse,
} from '@mcpg/proto/gen/enrollment'
import { CredentialKind, type GatewayDescription } from '@mcpg/proto/gen/types'
import { base64Of, credentialOf, endpointCertificateOf } from './credential.ts'
import type { EnrollmentUrl } from './enrollment-url.ts'
import { exchange, pinnedRoots, TryAgain } from './exchange.ts'
import { loadAttempt, loadIdentity, saveAttempt, saveIdentity, writeCopies, type Attempt, type Identity } from './identity-file.ts'
import { certificateRequest, enrollmentProof, newCertificateKey, newKeys } from './keys.ts'

export type EnrollDeps = {
  folder: string
  url: EnrollmentUrl | undefined
  /** It says nothing to an installation that has an identity. */
  isUrlForNew?: boolean
  /** Holds the token by which a cluster attests the pod that this is. */
  attestationTokenFile?: string | undefined
  /** Chosen with --instance-uid; else one is generated from `uidStem`. */
  instanceUid: string | undefined
  uidStem: string
  reEnroll: boolean
  fixPermissions: boolean
  description: GatewayDescription
  /** Names that others reach the MCP endpoint by, for a certificate; null where it needs none from the control plane. */
  endpointNames: string[] | null
  clock: Clock
  timers: Pick<Timers, 'reconnectBase' | 'reconnectMax'>
  /** One line for the person who waits. */
  tell: (line: string) => void
  stopping: AbortSignal
  random?: () => number
}

/**
 * The identity of this installation: the cached one, or a new one redeemed from the URL. A restart with the same URL, or with none, uses
 * the cached one; another URL is refused unless `reEnroll` is set. Keys and idempotency key are on disk before the first byte is sent,
 * so an answer that got lost is asked for again. Null when `stopping` was aborted while waiting.
 */
export async function ensureIdentity(deps: EnrollDeps): Promise<Identity | null> {
  const { folder, url, isUrlForNew, reEnroll, tell } = deps
  const cached = await loadIdentity(folder, deps).catch((error: unknown) => {
    if (reEnroll && url) return null
    throw error
  })
  if (cached && (!url || (isUrlForNew && !reEnroll) || url.tokenSha256 === cached.enrolledTokenSha256)) {
    if (deps.instanceUid !== undefined && deps.instanceUid !== cached.instanceUid)
      tell(`--instance-uid ${deps.instanceUid} is ignored: this installation is enrolled as ${cached.instanceUid}`)
    await writeCopies(folder, cached)
    return cached
  }
  if (cached && url && !reEnroll) throw alreadyEnrolled(cached, url)
  if (!url)
    throw new McpgError(
      'invalid',
      'not_enrolled',
      `This machine is not enrolled yet, and there is no --enrollment-url and no MCPG_ENROLLMENT_URL`,
      {
        hint: 'get a URL from the control plane: mcpg-ctl enroll create',
      },
    )
  try {
    return await enroll(deps, url)
  } catch (error) {
    if (deps.stopping.aborted) return null
    throw error
  }
}

async function enroll(deps: EnrollDeps, url: EnrollmentUrl): Promise<Identity> {
  let attempt = await attemptFor(deps, url)
  const { stopping } = deps
  const roots = await patiently(deps, () => pinnedRoots(url, stopping))
  const ask = (method: 'GET' | 'POST', body?: string) =>
    patiently(deps, async () => (await exchange(url, method, body, { roots, signal: stopping })) as JsonValue)
  for (let tries = 0; ; tries++) {
    const described = fromJson(DescribeEnrollmentResponseSchema, await ask('GET'), { ignoreUnknownFields: true })
    warnOfSkew(deps, described.serverTime ? timestampMs(described.serverTime) : undefined)
    const kind = kindToAsk(described.allowedCredentialKinds, url)
    try {
      const answer = fromJson(EnrollResponseSchema, await ask('POST', await requestBody(deps, attempt, kind)), {
        ignoreUnknownFields: true,
      })
      const identity = identityOf(answer, attempt, url, deps)
      await saveIdentity(deps.folder, identity)
      deps.tell(
        `Enrolled as gateway ${identity.name} in ${identity.org}/${identity.workspace}/${identity.environment} (${identity.gatewayId}).`,
      )
      return identity
    } catch (error) {
      const isTaken = error instanceof McpgError && error.reason === 'instance_uid_in_use'
      if (!isTaken || !attempt.isUidGenerated || tries >= 5) throw error
      attempt = { ...attempt, instanceUid: generatedUid(deps.uidStem), idempotencyKey: newIdempotencyKey() }
      await saveAttempt(deps.folder, attempt)
    }
  }
}

/** A certificate wherever one is given; a bearer from a control plane that is all on this machine, or that says nothing. */
function kindToAsk(allowed: CredentialKind[], url: EnrollmentUrl): CredentialKind {
  if (allowed.includes(CredentialKind.X509)) return CredentialKind.X509
  if (allowed.length === 0 || allowed.includes(CredentialKind.BEARER)) return CredentialKind.BEARER
  throw new McpgError(
    'unsupported',
    'credential_kind_unsupported',
    `${url.origin} issues credentials of a kind that this version cannot use`,
    {
      hint: 'upgrade the gateway: mcpg-ctl version shows both versions',
    },
  )
}

/** The attempt that a crash interrupted, if it was for this URL; else a new one, on disk before anybody hears of it. */
async function attemptFor({ folder, instanceUid, uidStem, endpointNames }: EnrollDeps, url: EnrollmentUrl): Promise<Attempt> {
  const interrupted = await loadAttempt(folder)
  if (interrupted?.tokenSha256 === url.tokenSha256 && (instanceUid === undefined || instanceUid === interrupted.instanceUid)) {
    // The first try may have been for an endpoint that nobody else was to reach.
    if (!endpointNames || interrupted.endpointKey) return interrupted
    const wider = { ...interrupted, endpointKey: newCertificateKey() }
    await saveAttempt(folder, wider)
    return wider
  }
  const attempt: Attempt = {
    tokenSha256: url.tokenSha256,
    idempotencyKey: newIdempotencyKey(),
    instanceUid: instanceUid ?? generatedUid(uidStem),
    isUidGenerated: instanceUid === undefined,
    ...newKeys(),
    ...(endpointNames && { endpointKey: newCertificateKey() }),
  }
  await saveAttempt(folder, attempt)
  return attempt
}

async function requestBody(
  { description, endpointNames, attestationTokenFile }: EnrollDeps,
  attempt: Attempt,
  credentialKind: CredentialKind,
): Promise<string> {
  const { instanceUid, endpointKey } = attempt
  const message = create(EnrollRequestSchema, {
    ...(await enrollmentProof(attempt, instanceUid)),
    idempotencyKey: new Uint8Array(Buffer.from(attempt.idempotencyKey, 'base64')),
    instanceUid,
    credentialKind,
    description,
    ...(attestationTokenFile !== undefined && { attestationToken: attestationToken(attestationTokenFile) }),
    ...(endpointNames &&
      endpointKey && { endpointCsr: await certificateRequest(endpointKey, { commonName: instanceUid, names: endpointNames }) }),
  })
  return JSON.stringify(toJson(EnrollRequestSchema, message))
}

function attestationToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new McpgError('invalid', 'attestation_token_unreadable', `--attestation-token-file ${file} cannot be read (${code}).`, {
      hint: 'the pod needs a projected token of its account, of the audience mcpg-enroll',
      cause: error,
    })
  }
}

/** Asks until there is an answer; says what it waits for. */
async function patiently<Answer>({ clock, timers, tell, stopping, random }: EnrollDeps, ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof TryAgain)) throw error
      const jitterMs = fullJitter(attempt, { baseMs: timers.reconnectBase, maxMs: timers.reconnectMax }, random)
      const waitMs = error.retryAfterMs > 0 ? error.retryAfterMs + Math.min(jitterMs, 1000) : jitterMs
      tell(`Waiting: ${error.message}; trying again in ${(waitMs / 1000).toFixed(1)} s.`)
      await pause(clock, waitMs, stopping)
    }
  }
}

function identityOf(answer: EnrollResponse, attempt: Attempt, url: EnrollmentUrl, { clock, endpointNames }: EnrollDeps): Identity {
  const { credential, endpointCertificate } = answer
  const { endpointKey, identityKey } = attempt
  if (!credential || !answer.gatewayId || answer.configSigningKeys.length === 0)
    throw new McpgError(
      'invalid',
      'not_a_control_plane',
      `${url.origin} answered the enrollment without a gateway id, a credential and a signing key`,
      {
        hint: 'check that control plane and gateway have the same version: mcpg-ctl version',
      },
    )
  return {
    gatewayId: answer.gatewayId,
    name: answer.name || attempt.instanceUid,
    org: answer.org,
    workspace: answer.workspace,
    environment: answer.environment,
    instanceUid: attempt.instanceUid,
    enrolledAt: new Date(clock.now()).toISOString(),
    enrolledTokenSha256: url.tokenSha256,
    enrolledAtOrigin: url.origin,
    controlPlaneEndpoints: answer.controlPlaneEndpoints,
    configSigningKeys: answer.configSigningKeys.map(base64Of),
    trustBundle: answer.trustBundle.map(base64Of),
    credential: credentialOf(credential, identityKey),
    ...(endpointNames &&
      endpointKey &&
      endpointCertificate && { endpoint: endpointCertificateOf(endpointCertificate, { key: endpointKey, names: endpointNames }) }),
    identityKey,
    sealingKey: attempt.sealingKey,
  }
}

function warnOfSkew({ clock, tell }: EnrollDeps, serverTime: number | undefined): void {
  if (serverTime === undefined) return
  const skewSeconds = Math.round((clock.now() - serverTime) / 1000)
  if (Math.abs(skewSeconds) > 30)
    tell(`The clock of this machine is ${Math.abs(skewSeconds)} s ${skewSeconds > 0 ? 'ahead of' : 'behind'} that of the control plane.`)
}

function alreadyEnrolled(cached: Identity, url: EnrollmentUrl): McpgError {
  return new McpgError(
    'conflict',
    'already_enrolled',
    `This installation is already enrolled as gateway ${cached.name} (${cached.gatewayId}) at ${cached.enrolledAtOrigin}; the URL of ${url.origin} is another one`,
    {
      hint: 'leave --enrollment-url out to go on as that gateway, --name <other> for a second agent, or --re-enroll to become a new gateway',
    },
  )
}

/** `<host or name>-<6 hex>`, 63 characters of [a-z0-9-] at most. */
function generatedUid(stem: string): string {
  const clean = stem
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 56)
  return `${clean || 'gateway'}-${randomBytes(3).toString('hex')}`
}

const newIdempotencyKey = () => randomBytes(16).toString('base64')

function pause(clock: Clock, ms: number, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = () => {
      cancel()
      reject(stopping.reason as Error)
    }
    const cancel = clock.after(ms, () => {
      stopping.removeEventListener('abort', give)
      resolve()
    })
    if (stopping.aborted) give()
    else stopping.addEventListener('abort', give, { once: true })
  })
}
