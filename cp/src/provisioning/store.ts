import type { Db, Tx } from '../db/db.ts'
import type { Parameters } from './input.ts'

export type EnvironmentScope = { org: string; workspace: string; environment: string }

/** A row of `managed_gateways`, JSON column read. */
export type ManagedGateway = EnvironmentScope & {
  instanceUid: string
  name: string
  clusterId: string
  state: 'creating' | 'ready' | 'deleting'
  parameters: Parameters
}

export type ProvisioningStore = ReturnType<typeof provisioningStore>

export function provisioningStore({ read }: Pick<Db, 'read'>) {
  return { find, findByUid, listReady, leftBehind, enrollmentOperation, becomeReady, forget }

  async function find({ org, workspace, environment }: EnvironmentScope, name: string): Promise<ManagedGateway | null> {
    const row = await read.managedGateway.findUnique({ where: { org_workspace_environment_name: { org, workspace, environment, name } } })
    return row && rowOf(row)
  }

  async function findByUid(instanceUid: string): Promise<ManagedGateway | null> {
    const row = await read.managedGateway.findUnique({ where: { instanceUid } })
    return row && rowOf(row)
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
    // After the operations: one that has ended has left its gateway by then.
    const kept = await read.managedGateway.findMany({ where: { instanceUid: { in: uids } }, select: { instanceUid: true } })
    const used = new Set([
      ...kept.map(({ instanceUid }) => instanceUid),
      ...operations.filter(({ state }) => state === 'running').map(({ gatewayUid }) => gatewayUid),
    ])
    return [...new Map(operations.map((one) => [one.gatewayUid, one])).values()].filter(({ gatewayUid }) => !used.has(gatewayUid))
  }

  /** The operation that the enrollment of a gateway was made for. */
  async function enrollmentOperation(enrollmentId: string): Promise<string | null> {
    return (await read.enrollment.findUnique({ where: { id: enrollmentId }, select: { operationId: true } }))?.operationId ?? null
  }

  /** False when it is no more: its cluster was given up meanwhile. */
  async function becomeReady(tx: Tx, instanceUid: string, parameters: Parameters, now: string): Promise<boolean> {
    const { count } = await tx.managedGateway.updateMany({
      where: { instanceUid },
      data: { state: 'ready', parameters: JSON.stringify(parameters), updatedAt: now },
    })
    return count === 1
  }

  async function forget(tx: Tx, instanceUid: string): Promise<void> {
    await tx.managedGateway.deleteMany({ where: { instanceUid } })
  }
}

function rowOf({
  parameters,
  state,
  ...row
}: Omit<ManagedGateway, 'state' | 'parameters'> & { state: string; parameters: string }): ManagedGateway {
  return { ...row, state: state as ManagedGateway['state'], parameters: JSON.parse(parameters) as Parameters }
}
