import { join } from 'node:path'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import type { OperationKind } from '@mcpg/proto/rest/operations'
import { ownCaller, type Caller } from './access/caller.ts'
import { allocator } from './allocator/allocator.ts'
import type { Audit } from './audit/audit.ts'
import type { Driver, EnrollmentOptions, Workload, Workloads } from './clusters/drivers/driver.ts'
import { clusterProber } from './clusters/prober.ts'
import { clusterRoutes } from './clusters/routes.ts'
import type { SealAccess } from './clusters/registration.ts'
import { clusterService } from './clusters/service.ts'
import { clusterStore, type HeldGateway } from './clusters/store.ts'
import type { Db } from './db/db.ts'
import { domainRoutes } from './domains/routes.ts'
import { domainService } from './domains/service.ts'
import { txtRecords } from './domains/txt-records.ts'
import type { Fleet } from './fleet.ts'
import type { Idempotency } from './http/idempotency.ts'
import { operationRoom, replicaId, type AtStep, type Plan } from './operations/operations.ts'
import { operationRoutes } from './operations/routes.ts'
import { attestation } from './provisioning/attestation.ts'
import { groupLabel, isMember } from './clusters/group.ts'
import { janitor } from './provisioning/janitor.ts'
import { driftWatch } from './provisioning/drift.ts'
import { beginnings } from './provisioning/beginning.ts'
import { clusterDrainer } from './provisioning/drainer.ts'
import { gatewayMoves } from './provisioning/moves.ts'
import { placementFor } from './provisioning/placing.ts'
import { provisioningPlans } from './provisioning/plans.ts'
import { provisioningRoutes } from './provisioning/routes.ts'
import { provisioningService } from './provisioning/service.ts'
import { provisioningStore, type ManagedGateway } from './provisioning/store.ts'
import { quotaRoutes } from './quotas/routes.ts'
import { quotaService } from './quotas/service.ts'
import { quotaStore } from './quotas/store.ts'
import type { Tenancies } from './tenancy/tenancy.ts'

/** The part of the composition that is about gateways which the control plane runs itself: where, and what is done with them. */
export async function createManaged({
  db,
  audit,
  onceOnly,
  fleet,
  drivers,
  sealAccess,
  dnsServers,
  stateDir,
  requireScope,
  requireEnvironment,
  ownUrl,
  publicUrl,
  clock,
  timers,
  log,
  atStep,
}: {
  db: Db
  audit: Audit
  onceOnly: Idempotency
  fleet: Pick<Fleet, 'registry' | 'live' | 'gateways' | 'configs' | 'enrollments'>
  drivers: readonly Driver[]
  sealAccess: SealAccess
  /** Where the records of domains are looked up; empty: as this machine does. */
  dnsServers: readonly string[]
  stateDir: string
  requireScope: Tenancies['requireScope']
  requireEnvironment: Tenancies['requireEnvironment']
  /** Base of the REST listener as this machine reaches it, and as it is handed out. */
  ownUrl: () => string
  publicUrl: () => string
  clock: Clock
  timers: Timers
  log: Log
  atStep?: AtStep | undefined
}) {
  const { registry, live, gateways, configs, enrollments } = fleet
  const reservations = allocator({ db, clock, log })
  const store = provisioningStore(db)
  const clusterRows = clusterStore(db)
  const { movesFrom } = store
  const given = { onKept, onForced, onRepeated, onDrain }
  const clusters = clusterService({ db, store: clusterRows, drivers, sealAccess, audit, clock, log, movesFrom, ...given })
  const plans: Record<OperationKind, Plan> = provisioningPlans({
    store,
    allocator: reservations,
    workloadsOf: clusters.workloadsOf,
    enrollmentUrl: async (
      { id, kind, org, workspace, environment, gateway: name, gatewayUid },
      { isRemote = false, byAttestation = false, replica }: EnrollmentOptions = {},
    ) => {
      const scope = { org, workspace, environment }
      const expectedInstanceUid = replica ?? gatewayUid
      await enrollments.revokeOf(id, expectedInstanceUid)
      // One that moves is selected by the labels of the installation before it.
      const before = kind === 'move' ? registry.find({ org, workspace, environment }, name) : null
      const labels = { ...before?.labels, [groupLabel]: name }
      const { url } = byAttestation
        ? await enrollments.createAttested(ownCaller(), scope, { operationId: id, group: gatewayUid, labels: { [groupLabel]: name } })
        : await enrollments.create(
            ownCaller(),
            scope,
            { ...(expectedInstanceUid === gatewayUid && { name }), ttl: '15m', maxUses: 1, expectedInstanceUid, labels },
            { operationId: id },
          )
      return isRemote ? url : `${ownUrl()}${url.slice(publicUrl().length)}`
    },
    revokeEnrollments: enrollments.revokeOf,
    revokeEnrollmentsFor: enrollments.revokeAttested,
    registry,
    gateways,
    live,
    configs,
    timers,
    now: () => new Date(clock.now()).toISOString(),
  })
  const owner = await replicaId(join(stateDir, 'run', 'replica-id'))
  const operations = operationRoom({
    db,
    audit,
    clock,
    log,
    owner,
    atStep,
    leaseMs: timers.operationLease,
    retryMs: timers.operationRetry,
    planOf: (kind) => plans[kind],
  })
  const { lease, take } = operations.engine
  const placement = placementFor({ clusters, store })
  const beginningOf = beginnings({ audit, clock, lease })
  const txt = txtRecords(dnsServers)
  const domains = domainService({ db, audit, clock, txt, requireOrg: requireScope, hostnamesIn: store.hostnamesIn })
  const beginning = { allocator: reservations, placement, beginningOf, take }
  const provisioning = provisioningService({
    db,
    store,
    clusters,
    ...beginning,
    requireCovered: domains.requireCovered,
    requireEnvironment,
  })
  const drainer = clusterDrainer({
    clusters,
    store,
    move: gatewayMoves(beginning),
    clock,
    periodMs: timers.clusterDrain,
    log,
  })

  const quotas = quotaService({ db, store: quotaStore(db), audit, clock, requireOrg: requireScope, requireEnvironment })

  const routes: FastifyPluginAsyncZod[] = [
    clusterRoutes(clusters, onceOnly),
    quotaRoutes(quotas),
    domainRoutes(domains),
    operationRoutes(operations.service, log, { keepAliveMs: timers.sseKeepAlive, requireOrg: requireScope }),
    provisioningRoutes({
      provisioning,
      onceOnly,
      requireEnvironment,
      log,
      operations: operations.service,
      removeEnrolled: gateways.remove,
      keepAliveMs: timers.sseKeepAlive,
    }),
  ]
  const register: Part = { name: 'clusters', start: () => clusters.ensureLocal(), stop: async () => {} }
  const prober = clusterProber({ db, store: clusterRows, drivers, clock, periodMs: timers.clusterProbe, log })
  const tidying = janitor({ store, clusters, registry, gateways, clock, periodMs: timers.clusterProbe, log })
  const drift = driftWatch({
    store,
    clusters,
    workloadOf,
    putRight: provisioning.redeploy,
    clock,
    periodMs: timers.clusterDrift,
    log,
  })
  const keepers = drivers.flatMap((driver) => driver.keep?.(() => wantedOf(driver)) ?? [])
  return {
    routes,
    chores: [operations.chore],
    /** They start once gateways can reach the listeners. */
    parts: [register, prober, reservations.part, operations.part, drainer.part, tidying.part, drift, ...keepers],
    deprovision: provisioning.deprovision,
    attest: attestation({ store, workloadsOf: clusters.workloadsOf }),
  }

  /** What should run on the clusters of a driver, as it was deployed. */
  async function wantedOf(driver: Driver): Promise<Workload[]> {
    const ids = (await clusters.driversIn()).filter((one) => one.driver === driver).map(({ id }) => id)
    return (await store.listReady(ids)).map(workloadOf)
  }

  function workloadOf({ org, workspace, environment, name, instanceUid, parameters }: ManagedGateway): Workload {
    return {
      org,
      workspace,
      environment,
      name,
      instanceUid,
      parameters,
      enrollmentUrl: async () => {
        throw new Error(`the identity of the gateway ${instanceUid} is gone: delete it and create it anew`)
      },
    }
  }

  /** What has begun of a drain that is over is taken back, as far as it can be. */
  async function onDrain(clusterId: string, what: 'drained' | 'kept'): Promise<void> {
    if (what === 'drained') return drainer.look()
    await drainer.settled()
    const moves = await store.movesFrom(clusterId, '')
    for (const { id } of moves.filter(({ state }) => state === 'running')) await operations.service.cancel(ownCaller(), id).catch(() => {})
  }

  async function onKept(caller: Caller, left: HeldGateway[]): Promise<void> {
    for (const { id } of left.flatMap(installationsOf)) await gateways.letGo(caller, id)
  }

  async function onRepeated(clusterId: string): Promise<void> {
    await tidying.lookAt(clusterId)
  }

  /** With several replicas each is one. */
  function installationsOf(gateway: HeldGateway) {
    return registry.list(gateway).filter(({ instanceUid }) => isMember(instanceUid, gateway.instanceUid))
  }

  async function onForced(
    caller: Caller,
    left: HeldGateway[],
    about: { operations: string[]; workloads: Workloads | null; keepRunning: boolean },
  ): Promise<void> {
    for (const id of about.operations) await operations.service.cancel(ownCaller(), id).catch(() => {})
    if (about.keepRunning) return
    for (const gateway of left) {
      await enrollments.revokeAttested(gateway.instanceUid)
      for (const { id } of installationsOf(gateway)) await gateways.remove(caller, gateway, id)
    }
    for (const { instanceUid } of left)
      void about.workloads
        ?.remove(instanceUid)
        .catch((error: unknown) => log.warn({ err: error, instanceUid }, 'a gateway of a decommissioned cluster could not be removed'))
  }
}
