import { randomBytes } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import { durationMs } from '@mcpg/proto/durations'
import { McpgError } from '@mcpg/proto/errors'
import { enrollmentKind } from '@mcpg/proto/kinds/enrollment'
import type { CreatedEnrollment, CreateEnrollment } from '@mcpg/proto/rest/enrollments'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db, Tx } from '../db/db.ts'
import type { EnrollmentStore, Enrollment, EnvironmentScope, NewEnrollment } from './store.ts'
import { newEnrollmentToken, tokenSha256 } from './token.ts'

/** Unused tokens stay listed this long after their end. */
const keptAfterEndMs = 7 * 86_400_000

/** As long as the group, which revokes it. */
const attestedLifeMs = 10 * 365 * 86_400_000

export type Enrollments = ReturnType<typeof enrollmentService>

/** One-time tokens: made, listed, revoked. What redeems them is `redemption.ts`. */
export function enrollmentService({
  db,
  store,
  audit,
  changes,
  clock,
  publicUrl,
  rootPins,
  requireEnvironment,
}: {
  db: Pick<Db, 'write'>
  store: EnrollmentStore
  audit: Audit
  changes: Changes
  clock: Clock
  /** Base of the URLs that are handed out, without a slash at its end. */
  publicUrl: () => string
  /** Of the roots that signed our server certificate; empty where it is not ours. */
  rootPins: () => string[]
  /** Throws not_found for the first part of the path that does not exist. */
  requireEnvironment: (scope: EnvironmentScope, tx: Tx) => Promise<void>
}) {
  return { create, createAttested, revoke, revokeOf, revokeAttested }

  /** The token leaves once, inside the URL; only its hash is kept. */
  async function create(
    caller: Caller,
    scope: EnvironmentScope,
    body: CreateEnrollment,
    { operationId = null }: { operationId?: string | null } = {},
  ): Promise<CreatedEnrollment> {
    const token = newEnrollmentToken()
    const now = clock.now()
    const id = randomBytes(5).toString('hex')
    const enrollment: NewEnrollment = {
      ...scope,
      id: `enr_${id}`,
      name: `enr-${id}`,
      gatewayName: body.name ?? null,
      labels: body.labels ?? {},
      cidrs: body.cidrs ?? [],
      expectedInstanceUid: body.expectedInstanceUid ?? null,
      maxUses: body.maxUses,
      usedCount: 0,
      createdBy: caller.subject,
      createdAt: isoTime(now),
      expiresAt: isoTime(now + durationMs(body.ttl)),
      revokedAt: null,
      operationId,
    }
    // The route asked before there was a name.
    if (!caller.can({ verb: 'create', on: enrollmentKind.plural }, scope, enrollment.name))
      throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not create enrollments of any name.`)
    await db.write(async (tx) => {
      await requireEnvironment(scope, tx)
      if (body.name !== undefined && operationId === null) await refuseTakenName(tx, scope, body.name)
      await store.deleteOld(tx, isoTime(now - keptAfterEndMs))
      await store.insert(tx, enrollment, tokenSha256(token))
      await audit.record(tx, caller, 'enrollment.create', targetOf(enrollment))
    })
    changes.publish({ type: 'ADDED', scope: `${scope.org}/${scope.workspace}`, kind: 'Enrollment', name: enrollment.name })
    const url = `${publicUrl()}/enroll/${token}${fragment(rootPins())}`
    return { name: enrollment.name, url, command: `mcpg-ctl gateway --enrollment-url '${url}'`, expiresAt: enrollment.expiresAt }
  }

  /** For all replicas of a group, now and later: what is in its URL is no secret. */
  async function createAttested(
    caller: Caller,
    scope: EnvironmentScope,
    { operationId, group, labels }: { operationId: string; group: string; labels: Record<string, string> },
  ): Promise<{ url: string }> {
    const now = clock.now()
    const id = randomBytes(5).toString('hex')
    const enrollment: NewEnrollment = {
      ...scope,
      id: `enr_${id}`,
      name: `enr-${id}`,
      gatewayName: null,
      labels,
      cidrs: [],
      expectedInstanceUid: group,
      maxUses: 1_000_000,
      usedCount: 0,
      createdBy: caller.subject,
      createdAt: isoTime(now),
      expiresAt: isoTime(now + attestedLifeMs),
      revokedAt: null,
      operationId,
    }
    await db.write(async (tx) => {
      await requireEnvironment(scope, tx)
      await store.insert(tx, enrollment, tokenSha256(enrollment.id))
      await audit.record(tx, caller, 'enrollment.create', targetOf(enrollment))
    })
    changes.publish({ type: 'ADDED', scope: `${scope.org}/${scope.workspace}`, kind: 'Enrollment', name: enrollment.name })
    return { url: `${publicUrl()}/enroll/${enrollment.id}${fragment(rootPins())}` }
  }

  /** Repeating it changes nothing; a token that was used stands for a gateway, and that is deleted instead. */
  async function revoke(
    caller: Caller,
    scope: Omit<EnvironmentScope, 'environment'> & { environment?: string },
    name: string,
  ): Promise<void> {
    const [enrollment] = await store.list({ ...scope, name })
    if (!enrollment) throw unknownEnrollment(name)
    if (enrollment.revokedAt !== null) return
    const revoked = await db.write(async (tx) => {
      const done = await store.revoke(tx, enrollment.id, isoTime(clock.now()))
      if (done) await audit.record(tx, caller, 'enrollment.revoke', targetOf(enrollment))
      return done
    })
    if (!revoked) await refuseUsed(enrollment)
    changes.status(`${scope.org}/${scope.workspace}`, 'Enrollment', name)
  }

  /** What was made for an operation on a managed gateway, or one replica of it, and not used, or used by replicas that go with it. */
  async function revokeOf(operationId: string, expectedInstanceUid?: string): Promise<void> {
    await revokeOpen({
      operationId,
      ...(expectedInstanceUid !== undefined && { expectedInstanceUid }),
      OR: [{ usedCount: 0 }, { maxUses: { gt: 1 } }],
    })
  }

  /** What the replicas of a managed gateway enroll with. */
  async function revokeAttested(group: string): Promise<void> {
    await revokeOpen({ expectedInstanceUid: group, operationId: { not: null }, maxUses: { gt: 1 } })
  }

  async function revokeOpen(which: object): Promise<void> {
    await db.write((tx) => tx.enrollment.updateMany({ where: { ...which, revokedAt: null }, data: { revokedAt: isoTime(clock.now()) } }))
  }

  async function refuseUsed(enrollment: Enrollment): Promise<void> {
    const redemptions = await store.redemptionsOf([enrollment.id])
    if (redemptions.length === 0) return // revoked by somebody else meanwhile
    throw new McpgError(
      'failed_precondition',
      'token_already_used',
      `Enrollment ${enrollment.name} was used; revoking it takes nothing back.`,
      {
        hint: redemptions.map((one) => `mcpg-ctl delete gateway/${one.gatewayId}`).join(' && '),
      },
    )
  }
}

/** A fragment never leaves the agent: no server and no log sees it. */
const fragment = (pins: string[]): string => (pins.length > 0 ? `#pin=${pins.map((pin) => `sha256:${pin}`).join(',')}` : '')

async function refuseTakenName(tx: Tx, { org, workspace, environment }: EnvironmentScope, name: string): Promise<void> {
  const taken = await tx.gateway.findUnique({ where: { org_workspace_environment_name: { org, workspace, environment, name } } })
  if (taken)
    throw new McpgError('conflict', 'gateway_name_in_use', `There is a gateway ${name} in ${environment} already.`, {
      hint: `choose another name, or mcpg-ctl delete gateway/${name}`,
    })
}

const unknownEnrollment = (name: string) =>
  new McpgError('not_found', 'enrollment_unknown', `There is no enrollment ${name}.`, { hint: 'mcpg-ctl enroll list' })

export const isoTime = (ms: number): string => new Date(ms).toISOString()

export function targetOf({ org, workspace, name, id }: NewEnrollment) {
  return { org, workspace, kind: 'Enrollment', name, uid: id }
}
