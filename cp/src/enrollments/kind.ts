import type { Clock } from '@mcpg/core/clock'
import { enrollmentKind, type EnrollmentStatus } from '@mcpg/proto/kinds/enrollment'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Gateways } from '../gateways/service.ts'
import type { VirtualKind, VirtualScope } from '../resources/virtual.ts'
import type { Enrollment, EnrollmentStore, Redemption } from './store.ts'

/** Enrollments as objects to list, get and watch: everything but the token. */
export function enrollmentVirtualKind({
  store,
  gateways,
  clock,
}: {
  store: EnrollmentStore
  gateways: Pick<Gateways, 'namesOf'>
  clock: Clock
}): VirtualKind {
  return {
    declaration: enrollmentKind,
    list: (_caller, scope) => listResources(scope),
    get: async (_caller, scope, name) => (await listResources(scope, name))[0] ?? null,
  }

  async function listResources({ org, workspace, environment }: VirtualScope, name?: string): Promise<Resource[]> {
    const enrollments = await store.list({
      org,
      workspace,
      ...(environment !== undefined && { environment }),
      ...(name !== undefined && { name }),
    })
    const redemptions = await store.redemptionsOf(enrollments.map((one) => one.id))
    const names = await gateways.namesOf(redemptions.map((one) => one.gatewayId))
    return enrollments.map((one) =>
      resourceOf(
        one,
        redemptions.filter((redemption) => redemption.enrollmentId === one.id),
        names,
      ),
    )
  }

  function resourceOf(enrollment: Enrollment, redemptions: Redemption[], names: ReadonlyMap<string, string>): Resource {
    const { gatewayName, expectedInstanceUid, maxUses, expiresAt, cidrs } = enrollment
    const status: EnrollmentStatus = {
      state: stateOf(enrollment),
      usedCount: enrollment.usedCount,
      createdBy: enrollment.createdBy,
      redemptions: redemptions.map((one) => ({
        gateway: names.get(one.gatewayId) ?? one.gatewayId,
        source: one.source,
        at: one.createdAt,
        ...(one.confirmedAt !== null && { confirmedAt: one.confirmedAt }),
      })),
    }
    return {
      kind: 'Enrollment',
      metadata: {
        name: enrollment.name,
        uid: enrollment.id,
        org: enrollment.org,
        workspace: enrollment.workspace,
        environment: enrollment.environment,
        labels: enrollment.labels,
        annotations: {},
        generation: 1,
        resourceVersion: '1',
        createdAt: enrollment.createdAt,
        updatedAt: enrollment.revokedAt ?? enrollment.createdAt,
      },
      spec: {
        maxUses,
        expiresAt,
        cidrs,
        ...(gatewayName !== null && { gatewayName }),
        ...(expectedInstanceUid !== null && { expectedInstanceUid }),
      },
      status,
    }
  }

  function stateOf({ revokedAt, usedCount, maxUses, expiresAt }: Enrollment): EnrollmentStatus['state'] {
    if (revokedAt !== null) return 'revoked'
    if (usedCount >= maxUses) return 'used'
    return Date.parse(expiresAt) <= clock.now() ? 'expired' : 'open'
  }
}
