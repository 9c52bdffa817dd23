import type { OperationPhase, OperationState } from '@mcpg/proto/managed-gateways'
import { mostReplicas } from '../clusters/group.ts'
import type { Db, Tx } from '../db/db.ts'
import type { OperationInput, Parameters } from './input.ts'

export type EnvironmentScope = { org: string; workspace: string; environment: string }

/** A row of `managed_gateways`, JSON column read. */
export type ManagedGateway = EnvironmentScope & {
  instanceUid: string
  name: string
  clusterId: string
  state: 'creating' | 'ready' | 'deleting'
  parameters: Parameters
}

/** A move, by the installation that it takes away. */
export type MoveRow = EnvironmentScope & {
  id: string
  name: string
  instanceUid: string
  clusterId: string | null
  state: OperationState
  phase: OperationPhase
  step: string
  compensating: boolean
  errorMessage: string | null
  createdAt: string
  finishedAt: string | null
}

type Hostname = { hostname: string; workspace: string; environment: string; name: string }

export type ProvisioningStore = ReturnType<typeof provisioningStore>

export function provisioningStore({ read, write }: Pick<Db, 'read' | 'write'>) {
  return {
    find,
    findByUid,
    clustersOfName,
    listReady,
    hostnamesIn,
    listOn,
    movesFrom,
    leftBehind,
    enrollmentOperation,
    runningGroup,
    becomeReady,
    keepHostname,
    replace,
    isKept,
    forget,
  }

  async function find({ org, workspace, environment }: EnvironmentScope, name: string): Promise<ManagedGateway | null> {
    const row = await read.managedGateway.findUnique({ where: { org_workspace_environment_name: { org, workspace, environment, name } } })
    return row && rowOf(row)
  }

  async function findByUid(instanceUid: string): Promise<ManagedGateway | null> {
    const row = await read.managedGateway.findUnique({ where: { instanceUid } })
    return row && rowOf(row)
  }

  /** Where gateways of this name run in any environment of the workspace: what one cluster has, the others need not lose with it. */
  async function clustersOfName(which: { org: string; workspace: string; name: string }): Promise<ReadonlySet<string>> {
    const rows = await read.managedGateway.findMany({ where: which, select: { clusterId: true } })
    return new Set(rows.map(({ clusterId }) => clusterId))
  }

  /** Those that should run, without those that an operation is at work on. */
  async function listReady(clusterIds: string[]): Promise<ManagedGateway[]> {
    const [rows, active] = await Promise.all([
      read.managedGateway.findMany({ where: { clusterId: { in: clusterIds }, state: 'ready' } }),
      read.operation.findMany({ where: { state: 'running' }, select: { gatewayUid: true } }),
    ])
    const busy = new Set(active.map(({ gatewayUid }) => gatewayUid))
    return rows.filter(({ instanceUid }) => !busy.has(instanceUid)).map(rowOf)
  }

  /** Those of some uids whose operations have all ended and of which no gateway is kept, each with who it was. */
  async function leftBehind(uids: string[]): Promise<{ org: string; workspace: string; gateway: string; gatewayUid: string }[]> {
    const operations = await read.operation.findMany({
      where: { gatewayUid: { in: uids } },
      select: { org: true, workspace: true, gateway: true, gatewayUid: true, state: true },
    })
    const moving = await read.operation.findMany({ where: { kind: 'move', state: 'running' }, select: { input: true } })
    // After the operations: one that has ended has left its gateway by then.
    const kept = await read.managedGateway.findMany({ where: { instanceUid: { in: uids } }, select: { instanceUid: true } })
    const used = new Set([
      ...kept.map(({ instanceUid }) => instanceUid),
      ...moving.flatMap(({ input }) => (JSON.parse(input) as OperationInput).from?.instanceUid ?? []),
      ...operations.filter(({ state }) => state === 'running').map(({ gatewayUid }) => gatewayUid),
    ])
    return [...new Map(operations.map((one) => [one.gatewayUid, one])).values()].filter(({ gatewayUid }) => !used.has(gatewayUid))
  }

  /** Host names that gateways of an organization have or are getting, with who. */
  async function hostnamesIn(org: string): Promise<Hostname[]> {
    const rows = await read.gatewayHostname.findMany()
    const gateways = await read.managedGateway.findMany({ where: { org, instanceUid: { in: rows.map(({ gatewayUid }) => gatewayUid) } } })
    return rows.flatMap(({ hostname, gatewayUid }) => {
      const one = gateways.find(({ instanceUid }) => instanceUid === gatewayUid)
      return one ? [{ hostname, workspace: one.workspace, environment: one.environment, name: one.name }] : []
    })
  }

  async function listOn(clusterId: string): Promise<ManagedGateway[]> {
    const rows = await read.managedGateway.findMany({ where: { clusterId }, orderBy: { createdAt: 'asc' } })
    return rows.map(rowOf)
  }

  /** Moves that left a cluster since then, the latest first. */
  async function movesFrom(clusterId: string, since: string): Promise<MoveRow[]> {
    const rows = await read.operation.findMany({ where: { kind: 'move', createdAt: { gte: since } }, orderBy: { id: 'desc' } })
    return rows.flatMap(({ input, gateway: name, state, phase, ...row }) => {
      const { from } = JSON.parse(input) as OperationInput
      if (from?.clusterId !== clusterId) return []
      return [{ ...row, name, instanceUid: from.instanceUid, state: state as OperationState, phase: phase as OperationPhase }]
    })
  }

  /** The operation that the enrollment of a gateway was made for. */
  async function enrollmentOperation(enrollmentId: string): Promise<string | null> {
    return (await read.enrollment.findUnique({ where: { id: enrollmentId }, select: { operationId: true } }))?.operationId ?? null
  }

  /** A gateway that is kept, or is being made; null for none. `replicas` are the most that it has or is getting. */
  async function runningGroup(
    instanceUid: string,
  ): Promise<{ org: string; workspace: string; instanceUid: string; clusterId: string; replicas: number } | null> {
    const [operations, row] = await Promise.all([
      read.operation.findMany({ where: { gatewayUid: instanceUid, state: 'running', kind: { not: 'delete' } } }),
      findByUid(instanceUid),
    ])
    const kept = row?.state === 'deleting' ? [] : [row].filter((one) => one !== null)
    const wanted = operations.map(({ input, ...one }) => ({ ...one, parameters: (JSON.parse(input) as OperationInput).parameters }))
    const known = [...kept, ...wanted]
    const [one] = known
    if (!one?.clusterId) return null
    const { org, workspace, clusterId } = one
    return { org, workspace, instanceUid, clusterId, replicas: Math.max(...known.map(({ parameters }) => mostReplicas(parameters))) }
  }

  /** False when it is no more: its cluster was given up meanwhile. */
  async function becomeReady(tx: Tx, instanceUid: string, parameters: Parameters, now: string): Promise<boolean> {
    const { count } = await tx.managedGateway.updateMany({
      where: { instanceUid },
      data: { state: 'ready', parameters: JSON.stringify(parameters), updatedAt: now },
    })
    if (count === 1) await keepHostname(tx, instanceUid, parameters)
    return count === 1
  }

  /** Whatever other host name it had, or was to get, is free for others. */
  async function keepHostname(tx: Tx, gatewayUid: string, { customHostname }: Pick<Parameters, 'customHostname'>): Promise<void> {
    await tx.gatewayHostname.deleteMany({
      where: { gatewayUid, ...(customHostname !== undefined && { hostname: { not: customHostname } }) },
    })
  }

  /** The one installation stands where the other stood; again it changes nothing. False when neither is there, or its cluster was given up. */
  async function replace(before: string, after: { instanceUid: string; clusterId: string }, now: string): Promise<boolean> {
    return await write(async (tx) => {
      if ((await tx.cluster.count({ where: { id: after.clusterId, state: { not: 'decommissioned' } } })) === 0) return false
      const { count } = await tx.managedGateway.updateMany({ where: { instanceUid: before }, data: { ...after, updatedAt: now } })
      await tx.gatewayHostname.updateMany({ where: { gatewayUid: before }, data: { gatewayUid: after.instanceUid } })
      return count === 1 || (await tx.managedGateway.count({ where: { instanceUid: after.instanceUid } })) === 1
    })
  }

  async function isKept(tx: Tx, instanceUid: string): Promise<boolean> {
    return (await tx.managedGateway.count({ where: { instanceUid } })) > 0
  }

  async function forget(tx: Tx, instanceUid: string): Promise<void> {
    await tx.managedGateway.deleteMany({ where: { instanceUid } })
    await keepHostname(tx, instanceUid, {})
  }
}

function rowOf({
  parameters,
  state,
  ...row
}: Omit<ManagedGateway, 'state' | 'parameters'> & { state: string; parameters: string }): ManagedGateway {
  return { ...row, state: state as ManagedGateway['state'], parameters: JSON.parse(parameters) as Parameters }
}
