import type { Timers } from '@mcpg/core/timers'
import { McpgError } from '@mcpg/proto/errors'
import type { OperationKind } from '@mcpg/proto/rest/operations'
import { ownCaller } from '../access/caller.ts'
import type { Allocator } from '../allocator/allocator.ts'
import type { EnrollmentOptions, Workload, Workloads } from '../clusters/drivers/driver.ts'
import type { Configs } from '../config/service.ts'
import type { Tx } from '../db/db.ts'
import { endpointsOf } from '../gateways/gateway-resource.ts'
import type { Live } from '../gateways/live.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Gateways } from '../gateways/service.ts'
import type { Plan, Step, Work } from '../operations/steps.ts'
import { isMember, mostReplicas, ordinalOf, replicaUid } from '../clusters/group.ts'
import { movePlan } from './move-plan.ts'
import { nothing, type OperationInput, type Parameters } from './input.ts'
import type { ProvisioningStore } from './store.ts'

/** How a managed gateway is made, changed and taken away, each as steps that can be done again. */
export function provisioningPlans({
  store,
  allocator,
  workloadsOf,
  enrollmentUrl,
  revokeEnrollments,
  revokeEnrollmentsFor,
  registry,
  gateways,
  live,
  configs,
  timers,
  now,
}: {
  store: ProvisioningStore
  allocator: Pick<Allocator, 'commit' | 'release' | 'releaseOf'>
  workloadsOf: (clusterId: string | null) => Promise<Workloads>
  /** A fresh one-time URL for the gateway of an operation; earlier ones of it that were not used are void. */
  enrollmentUrl: (work: Work, options?: EnrollmentOptions) => Promise<string>
  revokeEnrollments: (operationId: string) => Promise<void>
  /** Those that stay as long as the gateway. */
  revokeEnrollmentsFor: (instanceUid: string) => Promise<void>
  registry: Pick<Registry, 'find' | 'list'>
  gateways: Pick<Gateways, 'remove' | 'succeed'>
  live: Pick<Live, 'isConnected' | 'presence'>
  configs: Pick<Configs, 'standing'>
  timers: Pick<Timers, 'provisionStep' | 'provisionConfig'>
  /** RFC 3339. */
  now: () => string
}): Record<OperationKind, Plan> {
  /** As it was asked for, and with the image that the operation found to be meant: the same in all of its steps. */
  const deployed = (work: Work): Parameters => {
    const { image } = work.data
    return { ...inputOf(work).parameters, ...(typeof image === 'string' && { image }) }
  }
  /** Once for each operation. A tag that stays stands for what it stood for, so that pods do not start again because others changed. */
  const resolveImage = async (work: Work): Promise<void> => {
    if (work.data['image'] !== undefined) return
    const { parameters, previous } = inputOf(work)
    const stays = previous?.imageTag === parameters.imageTag
    const workloads = await workloadsOf(work.clusterId)
    const image =
      stays && previous.image === undefined ? null : await workloads.resolve?.(parameters.imageTag, stays ? previous.image : undefined)
    await work.note({ image: image ?? null })
  }
  const imageText = (work: Work): string => {
    const { image } = deployed(work)
    return image === undefined ? '' : `, with the image ${image}`
  }

  const rollout: Step = {
    name: 'rollout',
    phase: 'applying',
    async run(work) {
      const workloads = await workloadsOf(work.clusterId)
      // What an earlier attempt found dead is begun again.
      await workloads.apply(workloadOf(work, deployed(work)))
      let waitsFor = ''
      await work.until(
        async () => {
          const observed = await workloads.observe(work.gatewayUid)
          if (observed.state === 'failed')
            throw new McpgError('unavailable', 'workload_failed', `The gateway does not start: ${observed.message}`)
          waitsFor = observed.state === 'starting' && observed.message !== undefined ? ` (${observed.message})` : ''
          return observed.state === 'running' ? observed : null
        },
        { timeoutMs: timers.provisionStep, waitingFor: () => `the gateway was started and is not ready${waitsFor}` },
      )
      return 'its agent runs'
    },
  }

  const configApplied: Step = {
    name: 'config_applied',
    phase: 'applying',
    async run(work) {
      const rows = await work.until(() => allOf(work, (row) => live.isConnected(row.id) && row.appliedHash !== null), {
        timeoutMs: timers.provisionConfig,
        waitingFor: () => whyNotApplied(work),
      })
      return `online, and config ${rows[0]!.appliedHash!.slice(0, 8)} is applied${rows.length > 1 ? ` on all ${rows.length}` : ''}`
    },
  }

  /** Replicas that are no more, after a change as after one that was taken back: first who they are, then what is left of them. */
  const removeSurplus = async (work: Work, parameters: Parameters): Promise<number> => {
    const surplus = groupRows(work).filter(({ instanceUid }) => ordinalOf(instanceUid, work.gatewayUid)! >= mostReplicas(parameters))
    for (const { id } of surplus) await gateways.remove(ownCaller(), work, id)
    await (await workloadsOf(work.clusterId)).prune(workloadOf(work, parameters))
    return surplus.length
  }
  /** Until here the update can be taken back, and then each replica is who it was. */
  const surplus: Step = {
    name: 'surplus_removed',
    phase: 'applying',
    final: true,
    async run(work) {
      const count = await removeSurplus(work, inputOf(work).parameters)
      return count === 0 ? 'no replica is too many' : `replicas that are too many are gone: ${count}`
    },
  }

  const create: Plan = {
    cancellable: true,
    steps: [
      {
        name: 'workload',
        phase: 'applying',
        async run(work) {
          await resolveImage(work)
          await (await workloadsOf(work.clusterId)).apply(workloadOf(work, deployed(work)))
          return `the workload is there${imageText(work)}`
        },
        /** First the workload, so that nothing enrolls after its token and its gateway are gone; these go also where it cannot be removed. */
        async undo(work) {
          try {
            await (await workloadsOf(work.clusterId)).remove(work.gatewayUid)
          } finally {
            await revokeEnrollments(work.id)
            await removeGateways(work)
          }
          return 'the workload, its token and its gateway are gone'
        },
      },
      rollout,
      {
        name: 'enrolled',
        phase: 'applying',
        async run(work) {
          const rows = await work.until(() => allOf(work), { timeoutMs: timers.provisionStep, waitingFor: () => whyNotEnrolled(work) })
          for (const row of rows)
            if (row.origin !== 'managed' || (await store.enrollmentOperation(row.enrollmentId)) !== work.id)
              throw new McpgError('conflict', 'enrolled_otherwise', `The gateway ${row.instanceUid} was enrolled with another token.`, {
                hint: `mcpg-ctl describe gateway/${row.name}`,
              })
          return `enrolled as ${rows.map(({ name }) => name).join(', ')}`
        },
      },
      configApplied,
    ],
    async succeeded(tx, work) {
      await keep(tx, work)
    },
    async failed(tx, work) {
      await allocator.release(tx, work.id)
      await store.forget(tx, work.gatewayUid)
    },
    outcome: (work) => ({ step: 'ready', message: `${work.gateway} is ready`, endpoints: endpoints(work) }),
  }

  const update: Plan = {
    cancellable: true,
    steps: [
      {
        name: 'workload',
        phase: 'applying',
        async run(work) {
          await resolveImage(work)
          await (await workloadsOf(work.clusterId)).apply(workloadOf(work, deployed(work)))
          return `the workload has its new parameters${imageText(work)}`
        },
        async undo(work) {
          if (!(await store.findByUid(work.gatewayUid))) return await takeAway(work)
          const { previous, parameters } = inputOf(work)
          await (await workloadsOf(work.clusterId)).apply(workloadOf(work, previous ?? parameters))
          await removeSurplus(work, previous ?? parameters)
          return 'the workload has its previous parameters again'
        },
      },
      rollout,
      configApplied,
      surplus,
    ],
    async succeeded(tx, work) {
      await keep(tx, work)
    },
    async failed(tx, work) {
      const { previous, parameters } = inputOf(work)
      await allocator.release(tx, work.id)
      await store.keepHostname(tx, work.gatewayUid, previous ?? parameters)
    },
    outcome: (work) => ({ step: 'ready', message: `${work.gateway} is up to date`, endpoints: endpoints(work) }),
  }

  const remove: Plan = {
    cancellable: false,
    steps: [
      {
        name: 'drained',
        phase: 'applying',
        async run(work) {
          await (await workloadsOf(work.clusterId)).stop(work.gatewayUid)
          return 'its agent has ended its work and stopped'
        },
      },
      {
        name: 'revoked',
        phase: 'applying',
        async run(work) {
          await revokeEnrollmentsFor(work.gatewayUid)
          await removeGateways(work)
          return 'its credential is void'
        },
      },
      {
        name: 'removed',
        phase: 'applying',
        async run(work) {
          const workloads = await workloadsOf(work.clusterId)
          await workloads.remove(work.gatewayUid)
          const left = await workloads.observe(work.gatewayUid)
          if (left.state !== 'absent')
            throw new McpgError('unavailable', 'workload_left', `The workload of ${work.gateway} is still there (${left.state}).`)
          return 'nothing of it is left on the cluster'
        },
      },
    ],
    async succeeded(tx, work) {
      await allocator.releaseOf(tx, work.gatewayUid)
      await store.forget(tx, work.gatewayUid)
    },
    async failed() {},
    outcome: (work) => ({ step: 'deleted', message: `${work.gateway} is deleted`, endpoints: [] }),
  }
  const move = movePlan({ create, keep, store, allocator, workloadsOf, revokeEnrollmentsFor, registry, gateways, now })
  return { create, update, delete: remove, move }

  async function keep(tx: Tx, work: Work): Promise<void> {
    const { less = nothing } = inputOf(work)
    if (!(await store.becomeReady(tx, work.gatewayUid, deployed(work), now())))
      throw new McpgError('failed_precondition', 'cluster_decommissioned', 'Its cluster was decommissioned meanwhile.', {
        hint: 'mcpg-ctl cluster list',
      })
    await allocator.commit(tx, work.id, less)
  }

  /**
   * Its cluster was given up in the middle of a change. What enrolled by the change goes; a gateway that was there before is left to run on,
   * or somebody else takes it away.
   */
  async function takeAway(work: Work): Promise<string> {
    await revokeEnrollments(work.id)
    for (const { id, enrollmentId } of groupRows(work))
      if ((await store.enrollmentOperation(enrollmentId)) === work.id) await gateways.remove(ownCaller(), work, id)
    if (groupRows(work).length === 0) await (await workloadsOf(work.clusterId)).remove(work.gatewayUid)
    return 'its cluster was given up'
  }

  async function removeGateways(work: Work): Promise<void> {
    for (const { id } of groupRows(work)) await gateways.remove(ownCaller(), work, id)
  }

  function workloadOf(work: Work, { imageTag, image, replicas, maxReplicas, size, customHostname }: Parameters): Workload {
    const { org, workspace, environment, gateway: name, gatewayUid: instanceUid } = work
    return {
      org,
      workspace,
      environment,
      name,
      instanceUid,
      parameters: { imageTag, image, replicas, maxReplicas, size, customHostname },
      enrollmentUrl: (options) => enrollmentUrl(work, options),
    }
  }

  function groupRows({ org, workspace, gatewayUid }: Work): GatewayRow[] {
    return registry.list({ org, workspace }).filter(({ instanceUid }) => isMember(instanceUid, gatewayUid))
  }

  /** Each replica that is wanted, with its gateway as far as it has one; those that come and go by load are not waited for. */
  function replicasOf(work: Work): { uid: string; row: GatewayRow | undefined }[] {
    const rows = groupRows(work)
    const { parameters } = inputOf(work)
    return Array.from({ length: parameters.replicas }, (_, ordinal) => {
      const row = rows.find(({ instanceUid }) => ordinalOf(instanceUid, work.gatewayUid) === ordinal)
      return { uid: row?.instanceUid ?? (mostReplicas(parameters) === 1 ? work.gatewayUid : replicaUid(work.gatewayUid, ordinal)), row }
    })
  }

  /** Null while one is missing or is not so yet. */
  function allOf(work: Work, isSo: (row: GatewayRow) => boolean = () => true): GatewayRow[] | null {
    const rows = replicasOf(work).flatMap(({ row }) => (row && isSo(row) ? [row] : []))
    return rows.length === inputOf(work).parameters.replicas ? rows : null
  }

  function endpoints(work: Work): string[] {
    return replicasOf(work).flatMap(({ row }) => (row ? endpointsOf(row) : []))
  }

  function whyNotEnrolled(work: Work): string {
    const missing = replicasOf(work).filter(({ row }) => !row)
    return `not enrolled: ${missing.map(({ uid }) => uid).join(', ')}`
  }

  function whyNotApplied(work: Work): string {
    for (const { uid, row } of replicasOf(work)) {
      if (!row) return `the gateway ${uid} is not enrolled`
      if (!live.isConnected(row.id)) return `the gateway ${uid} is ${live.presence.stateOf(row.id)}`
      if (row.appliedHash !== null) continue
      const { desired } = configs.standing(row.id)
      if (!desired) return `there is no config for ${uid} yet`
      return `the config of ${uid} is ${desired.state}${desired.message ? `: ${desired.message}` : ''}`
    }
    return 'all are online with a config'
  }
}

type GatewayRow = ReturnType<Registry['list']>[number]

const inputOf = ({ input }: Work): OperationInput => input as OperationInput
