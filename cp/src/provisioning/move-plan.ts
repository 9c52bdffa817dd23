import { McpgError } from '@mcpg/proto/errors'
import { ownCaller } from '../access/caller.ts'
import type { Allocator } from '../allocator/allocator.ts'
import type { Workloads } from '../clusters/drivers/driver.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Gateways } from '../gateways/service.ts'
import type { Plan, Step, Work } from '../operations/steps.ts'
import { isMember } from '../clusters/group.ts'
import type { OperationInput } from './input.ts'
import type { ProvisioningStore } from './store.ts'

/**
 * A gateway moves by a new installation that takes its place once it is ready. Until then everything can be taken back and the old one
 * serves; from then on the old one is stopped, revoked and removed as far as its cluster still answers.
 */
export function movePlan({
  create,
  keep,
  store,
  allocator,
  workloadsOf,
  revokeEnrollmentsFor,
  registry,
  gateways,
  now,
}: {
  /** How a gateway is made: the new installation is one. */
  create: Plan
  /** In the transaction of the success. */
  keep: Plan['succeeded']
  store: Pick<ProvisioningStore, 'replace' | 'isKept'>
  allocator: Pick<Allocator, 'release' | 'releaseOf'>
  workloadsOf: (clusterId: string | null) => Promise<Workloads>
  revokeEnrollmentsFor: (instanceUid: string) => Promise<void>
  registry: Pick<Registry, 'list'>
  gateways: Pick<Gateways, 'remove' | 'succeed'>
  /** RFC 3339. */
  now: () => string
}): Plan {
  const switched: Step = {
    name: 'switched',
    phase: 'applying',
    async run(work) {
      const { instanceUid } = fromOf(work)
      if (!(await store.replace(instanceUid, { instanceUid: work.gatewayUid, clusterId: work.clusterId! }, now())))
        throw new McpgError(
          'failed_precondition',
          'gateway_gone',
          `The gateway ${work.gateway}, or the cluster that it was moving to, was given up meanwhile.`,
          {
            hint: 'mcpg-ctl provision history',
          },
        )
      return 'the new installation is the one that counts'
    },
    async undo(work) {
      await store.replace(work.gatewayUid, fromOf(work), now())
      return 'the old installation is the one that counts'
    },
  }

  const departure: Step[] = [
    {
      name: 'old_drained',
      phase: 'applying',
      final: true,
      async run(work) {
        const { instanceUid, clusterId } = fromOf(work)
        await (await workloadsOf(clusterId)).stop(instanceUid)
        return 'the old agent has ended its work and stopped'
      },
    },
    {
      name: 'old_revoked',
      phase: 'applying',
      final: true,
      async run(work) {
        const { instanceUid } = fromOf(work)
        await revokeEnrollmentsFor(instanceUid)
        const gone = found(work, instanceUid)
        for (const { id } of gone) await gateways.remove(ownCaller(), work, id)
        const [old] = gone
        // Replicas are called by their uids, and have nothing to inherit.
        const arrived = found(work, work.gatewayUid).find((row) => row.instanceUid === work.gatewayUid)
        if (arrived) await gateways.succeed(ownCaller(), arrived.id, { name: work.gateway, ...(old && { labels: old.labels }) })
        return 'the old credential is void, and the name is free for the new installation'
      },
    },
    {
      name: 'old_removed',
      phase: 'applying',
      final: true,
      async run(work) {
        const { instanceUid, clusterId } = fromOf(work)
        await (await workloadsOf(clusterId)).remove(instanceUid)
        return 'nothing of the old installation is left on its cluster'
      },
    },
  ]

  return {
    cancellable: true,
    steps: [...create.steps, switched, ...departure],
    async succeeded(tx, work) {
      await keep(tx, work)
      await allocator.releaseOf(tx, fromOf(work).instanceUid)
    },
    async failed(tx, work) {
      await allocator.release(tx, work.id)
      // Where the new cluster was given up after the old installation had gone.
      if (!(await store.isKept(tx, fromOf(work).instanceUid))) await allocator.releaseOf(tx, fromOf(work).instanceUid)
    },
    outcome: (work) => ({ ...create.outcome(work), message: `${work.gateway} has moved` }),
  }

  function found({ org, workspace }: Work, uid: string) {
    return registry.list({ org, workspace }).filter(({ instanceUid }) => isMember(instanceUid, uid))
  }
}

function fromOf({ input }: Work): NonNullable<OperationInput['from']> {
  return (input as OperationInput).from!
}
