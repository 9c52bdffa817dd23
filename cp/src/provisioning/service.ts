import { randomBytes } from 'node:crypto'
import { McpgError } from '@mcpg/proto/errors'
import type { OperationEvent, PassedOver } from '@mcpg/proto/rest/operations'
import type { Deployment, ProvisionGateway, StartedOperation } from '@mcpg/proto/rest/provisioning'
import { amountText, type ExceededQuota } from '@mcpg/proto/rest/quotas'
import { ownCaller, type Caller } from '../access/caller.ts'
import type { Allocator, Beginning, PlacementRequest } from '../allocator/allocator.ts'
import type { Clusters } from '../clusters/service.ts'
import type { Domains } from '../domains/service.ts'
import type { Db, StartOutcome } from '../db/db.ts'
import type { AnswerToKeep } from '../http/idempotency.ts'
import { watchHint } from '../operations/service.ts'
import { event, type BeginningOf } from './beginning.ts'
import { groupOf, mostReplicas } from '../clusters/group.ts'
import { amountsOf, amountsText, changeOf, changesText, type OperationInput, type Parameters } from './input.ts'
import { unsupported, type PlacementFor } from './placing.ts'
import type { EnvironmentScope, ManagedGateway, ProvisioningStore } from './store.ts'

export type Provisioning = ReturnType<typeof provisioningService>

/** The gateway came or went between the look and the beginning. */
const mostLooks = 5

/** Begins what is done with managed gateways; the steps are in `plans.ts`, and the answer is there before the first of them. */
export function provisioningService({
  db,
  store,
  allocator,
  clusters,
  placement,
  beginningOf,
  requireCovered,
  take,
  requireEnvironment,
}: {
  db: Pick<Db, 'startOperation'>
  store: ProvisioningStore
  allocator: Pick<Allocator, 'begin' | 'beginMore' | 'amountsOf'>
  clusters: Pick<Clusters, 'driversIn' | 'find'>
  placement: PlacementFor
  beginningOf: BeginningOf
  requireCovered: Domains['requireCovered']
  /** Begins to work on an operation that was written. */
  take: (operationId: string) => Promise<void>
  requireEnvironment: (scope: EnvironmentScope) => Promise<void>
}) {
  return { provision, redeploy, deprovision, deployment }

  /** Makes a gateway of this name, or brings the managed one of this name to these values. */
  async function provision(
    caller: Caller,
    scope: EnvironmentScope,
    { name, ...parameters }: ProvisionGateway,
    toKeep: AnswerToKeep = null,
  ): Promise<StartedOperation> {
    await requireEnvironment(scope)
    const request = await placement({ ...scope, name }, parameters)
    if (parameters.customHostname !== undefined) await requireCovered(scope.org, parameters.customHostname)
    for (let look = 0; look < mostLooks; look++) {
      const known = await store.find(scope, name)
      const started = known
        ? await update(caller, known, parameters, toKeep)
        : await create(caller, scope, name, parameters, { request, toKeep })
      if (started) return started
    }
    throw new McpgError('unavailable', 'gateway_changes', `The gateway ${name} comes and goes; try again.`, { retryAfterSeconds: 1 })
  }

  async function create(
    caller: Caller,
    scope: EnvironmentScope,
    name: string,
    parameters: Parameters,
    { request, toKeep }: { request: PlacementRequest; toKeep: AnswerToKeep },
  ): Promise<StartedOperation | null> {
    const gatewayUid = `${name}-${randomBytes(3).toString('hex')}`
    const about = { ...scope, name, instanceUid: gatewayUid, clusterId: null }
    const events = [
      event('filtering', 'done', `looking for room for ${amountsText(request)}`),
      event('reserved', 'done', `reserved on {cluster}`),
    ]
    const beginning = beginningOf(caller, 'create', about, { parameters }, 'new', events, toKeep)
    const outcome = await allocator.begin(request, beginning)
    if (outcome.outcome === 'no_capacity') return await withoutRoom(beginning, outcome.passedOver)
    if (outcome.outcome === 'quota') return await aboveQuota(beginning, outcome.exceeded)
    return await started(beginning, outcome, scope)
  }

  /** Brings one to what it was deployed with, what its tag stands for included; nothing begins where it has gone meanwhile. */
  async function redeploy(known: ManagedGateway): Promise<void> {
    const { image: _, ...parameters } = known.parameters
    await update(ownCaller(), known, parameters, null)
  }

  /** In place: what did not change is not touched, and the cluster stays. */
  async function update(caller: Caller, known: ManagedGateway, asked: Parameters, toKeep: AnswerToKeep): Promise<StartedOperation | null> {
    if (known.state === 'deleting')
      throw new McpgError(
        'failed_precondition',
        'gateway_being_deleted',
        `The gateway ${known.name} was to be deleted, and that has failed.`,
        {
          hint: `delete it again: mcpg-ctl provision delete … --instance-uid ${known.instanceUid}`,
        },
      )
    const cluster = (await clusters.driversIn()).find(({ id }) => id === known.clusterId)
    if (!cluster) throw unknownCluster(known)
    const parameters = kept(known, asked, cluster)
    const { more, less } = changeOf(await allocator.amountsOf(known.instanceUid), amountsOf(parameters))
    const violations = cluster.driver?.check(parameters) ?? []
    if (violations.length > 0) throw unsupported(violations)
    const input: OperationInput = { parameters, previous: known.parameters, less }
    const changes = changesText(known.parameters, parameters)
    const stays = event('reserved', 'done', `stays on {cluster}${changes === '' ? '' : `; ${changes}`}`)
    const beginning = beginningOf(caller, 'update', known, input, 'known', [stays], toKeep)
    const outcome = await allocator.beginMore({ id: cluster.id, name: cluster.name }, more, beginning)
    if (outcome.outcome === 'quota') return await aboveQuota(beginning, outcome.exceeded)
    if (outcome.outcome !== 'full') return await started(beginning, outcome, known)
    return await withoutRoom(beginning, [
      { cluster: cluster.name, reason: 'full', detail: `it has no room for ${amountsText(more)} more, and the gateway stays where it is` },
    ])
  }

  /** Where it runs is settled; a request that names another place than it has, or was asked for, would have to move it. */
  function kept(
    { parameters: before, name }: ManagedGateway,
    asked: Parameters,
    there: { region: string; isolationTier: string },
  ): Parameters {
    const has: Record<'region' | 'isolationTier' | 'clusterSelector', (string | undefined)[]> = {
      region: [before.region, there.region],
      isolationTier: [before.isolationTier ?? 'shared', there.isolationTier],
      clusterSelector: [before.clusterSelector],
    }
    const moved = (['region', 'isolationTier', 'clusterSelector'] as const).filter(
      (field) => asked[field] !== undefined && !has[field].includes(asked[field]),
    )
    if (moved.length > 0)
      throw new McpgError(
        'failed_precondition',
        'gateway_would_move',
        `The gateway ${name} stays on its cluster, and ${moved.join(' and ')} would choose another.`,
        {
          hint: 'delete it and create it anew',
          violations: moved.map((field) => ({ pointer: `/${field}`, detail: `is ${has[field].at(-1) ?? 'not given'} now` })),
        },
      )
    const { region, isolationTier, clusterSelector } = before
    const customHostname = asked.customHostname ?? before.customHostname
    return {
      ...asked,
      ...(region !== undefined && { region }),
      ...(isolationTier !== undefined && { isolationTier }),
      ...(customHostname !== undefined && { customHostname }),
      ...(clusterSelector !== undefined && { clusterSelector }),
    }
  }

  /** Null where no managed gateway is called so, by name or uid: then it is an enrolled one, or none. */
  async function deprovision(caller: Caller, scope: EnvironmentScope, word: string): Promise<StartedOperation | null> {
    for (let look = 0; look < mostLooks; look++) {
      const known = await findIn(scope, word)
      if (!known) return null
      // The only one is all of it, also where it was the first of several.
      if (known.instanceUid !== word && known.name !== word && mostReplicas(known.parameters) > 1)
        throw new McpgError('failed_precondition', 'gateway_is_a_replica', `${word} is one of the replicas of ${known.name}.`, {
          hint: `delete all of them: mcpg-ctl provision delete … --instance-uid ${known.instanceUid}, or make them fewer: mcpg-ctl provision create … --name ${known.name} --replicas <n>`,
        })
      const input: OperationInput = { parameters: known.parameters }
      const beginning = beginningOf(caller, 'delete', known, input, 'deleting', [
        event('draining', 'doing', `${known.name} is being deleted`, 'applying'),
      ])
      const operation = await started(beginning, await db.startOperation({ ...beginning, candidates: [], reservation: null }), known)
      if (operation) return operation
    }
    throw new McpgError('unavailable', 'gateway_changes', `The gateway ${word} comes and goes; try again.`, { retryAfterSeconds: 1 })
  }

  async function deployment(scope: EnvironmentScope, word: string): Promise<Deployment> {
    const known = await findIn(scope, word)
    if (!known)
      throw new McpgError('not_found', 'gateway_not_managed', `There is no managed gateway ${word} in ${scope.environment}.`, {
        hint: 'mcpg-ctl get gateways',
      })
    const { instanceUid, clusterId, state, parameters } = known
    const { id, name, region, isolationTier } = await clusters.find(clusterId)
    return { instanceUid, cluster: { id, name, region, isolationTier }, state, parameters }
  }

  async function findIn({ org, workspace, environment }: EnvironmentScope, word: string): Promise<ManagedGateway | null> {
    const named = await store.find({ org, workspace, environment }, word)
    if (named) return named
    const group = groupOf(word)
    const row = (await store.findByUid(word)) ?? (group && (await groupWith(group)))
    return row && row.org === org && row.workspace === workspace && row.environment === environment ? row : null
  }

  async function groupWith({ instanceUid, ordinal }: { instanceUid: string; ordinal: number }): Promise<ManagedGateway | null> {
    const row = await store.findByUid(instanceUid)
    return row && ordinal < mostReplicas(row.parameters) ? row : null
  }

  /** Null: look again. */
  async function started(
    { operation, hostname }: Beginning,
    outcome: StartOutcome,
    { environment }: EnvironmentScope,
  ): Promise<StartedOperation | null> {
    switch (outcome.outcome) {
      case 'started':
        await take(operation.id)
        return { operationId: operation.id, instanceUid: operation.gatewayUid }
      case 'in_progress':
        throw new McpgError(
          'conflict',
          'operation_in_progress',
          `The operation ${outcome.operationId} is at work on the gateway ${operation.gateway}.`,
          { hint: `${watchHint(outcome.operationId)}, or mcpg-ctl provision cancel ${outcome.operationId}` },
        )
      case 'name_in_use':
        throw new McpgError(
          'conflict',
          'gateway_name_in_use',
          `There is a gateway ${operation.gateway} in ${environment} already, which is not managed.`,
          {
            hint: `choose another name, or mcpg-ctl delete gateway/${operation.gateway}`,
          },
        )
      case 'hostname_in_use':
        throw new McpgError('conflict', 'hostname_in_use', `Another gateway has the host name ${hostname}.`, {
          violations: [{ pointer: '/customHostname', detail: `${hostname} is taken` }],
        })
      case 'no_environment':
        await requireEnvironment(operation)
        return null
      case 'changed':
      case 'full':
      case 'quota':
        return null
    }
  }

  async function withoutRoom(beginning: Beginning, passedOver: PassedOver[]): Promise<StartedOperation> {
    const list = passedOver.map(({ cluster, detail }) => `${cluster}: ${detail}`)
    const message = passedOver.length === 0 ? 'There is no cluster; register one.' : `No cluster can take it: ${list.join('; ')}.`
    return await refusedFor(beginning, `no cluster was chosen of ${passedOver.length}`, {
      error: { reason: 'no_capacity', message },
      passedOver,
    })
  }

  async function aboveQuota(beginning: Beginning, exceeded: ExceededQuota[]): Promise<StartedOperation> {
    const list = exceeded.map(({ quota, amount, used, of, asked }) => {
      const [takes, most, more] = [used, of, asked].map((value) => amountText(amount, value))
      return `${quotaText(beginning, quota)} takes ${takes} of ${most}, and ${more} more ${asked === 1 && amount === 'gateways' ? 'is' : 'are'} asked for`
    })
    return await refusedFor(beginning, 'a quota does not allow it', {
      error: {
        reason: 'quota_exceeded',
        message: `More than the quota allows: ${list.join('; ')}. mcpg-ctl get quotas shows what is taken.`,
      },
      exceeded,
    })
  }

  /** An operation that is over as it begins, so that history and stream tell why. */
  async function refusedFor(
    beginning: Beginning,
    what: string,
    data: Required<Pick<OperationEvent, 'error'>> & Partial<OperationEvent>,
  ): Promise<StartedOperation> {
    const { error } = data
    const { operation, at } = beginning
    await db.startOperation({
      ...beginning,
      operation: {
        ...operation,
        activeKey: null,
        state: 'failed',
        phase: 'failed',
        step: 'filtering',
        leaseOwner: null,
        leaseUntil: null,
        errorReason: error.reason,
        errorMessage: error.message,
        finishedAt: at,
      },
      events: [
        event('filtering', 'failed', what),
        { ...event('filtering', 'failed', error.message, 'failed'), data: JSON.stringify(data) },
      ],
      candidates: [],
      reservation: null,
      gateway: 'known',
    })
    return { operationId: operation.id, instanceUid: operation.gatewayUid }
  }
}

const quotaText = ({ operation: { org } }: Beginning, quota: string): string =>
  quota === 'org' ? `the organization ${org}` : `the environment ${quota}`

const unknownCluster = ({ name }: ManagedGateway) =>
  new McpgError('failed_precondition', 'cluster_decommissioned', `The cluster of the gateway ${name} was decommissioned.`, {
    hint: 'mcpg-ctl cluster list',
  })
