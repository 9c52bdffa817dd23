import { McpgError } from '@mcpg/proto/errors'
import { gatewayKind } from '@mcpg/proto/kinds/gateway'
import { instanceKind } from '@mcpg/proto/kinds/instance'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { toolKind } from '@mcpg/proto/kinds/tool'
import type { Command } from '@mcpg/proto/gen/gateway'
import type { Configs } from '../config/service.ts'
import type { Audit } from '../audit/audit.ts'
import type { VirtualKind, VirtualScope } from '../resources/virtual.ts'
import { turn } from '../turns.ts'
import { gatewayResource, type CertificateOf } from './gateway-resource.ts'
import type { Inventories, InventoryBody } from './inventories.ts'
import type { Live } from './live.ts'
import type { Registry } from './registry.ts'
import { instanceResource, toolResource } from './reported-resources.ts'
import { offeredInventory, type InstanceReport, type ServerReport } from './reports.ts'
import type { Gateways } from './service.ts'
import type { GatewayRow } from './store.ts'

/** Asks a connected gateway for one action. */
export type SendCommand = (gatewayId: string, action: Command['action']) => Promise<void>

type Facts = { registry: Registry; live: Live; configs: Pick<Configs, 'standing' | 'numberOf'>; certificateOf: CertificateOf }

export function gatewayVirtualKind(facts: Facts, gateways: Pick<Gateways, 'remove'>): VirtualKind {
  const { registry } = facts
  return {
    declaration: gatewayKind,
    list: (_caller, scope) => inTurns(registry.list(scope), (row) => gatewayResource(row, facts)),
    get: async (_caller, scope, name) => {
      const row = registry.find(scope, name)
      return row && gatewayResource(row, facts)
    },
    delete: (caller, scope, name) => gateways.remove(caller, scope, name),
  }
}

/** Instances as their gateways reported them; what an absent gateway runs is unknown. */
export function instanceVirtualKind(
  { registry, live, audit }: Pick<Facts, 'registry' | 'live'> & { audit: Pick<Audit, 'row' | 'append'> },
  send: SendCommand,
): VirtualKind {
  return {
    declaration: instanceKind,
    list: (_caller, scope, { server }) =>
      inTurns(
        [...instancesIn(scope)].filter((one) => !server || one.report.name === server),
        resourceOf,
      ),
    get: async (_caller, scope, name) => {
      const found = find(scope, name)
      return found ? resourceOf(found) : null
    },
    delete: async (caller, scope, name) => {
      const found = find(scope, name)
      if (!found) throw new McpgError('not_found', 'instance_unknown', `There is no instance ${name}.`, { hint: 'mcpg-ctl get instances' })
      // The supervisor starts another: an instance is never gone for long.
      await send(found.row.id, { case: 'stopInstance', value: { $typeName: 'mcpg.fleet.v1.StopInstanceCommand', instanceId: name } })
      const { org, workspace, name: gateway } = found.row
      const detail = { gateway, server: found.report.name }
      await audit.append([audit.row(caller, 'instance.delete', { org, workspace, kind: 'Instance', name, detail })])
    },
  }

  function* instancesIn(scope: VirtualScope): Generator<{ row: GatewayRow; report: ServerReport; instance: InstanceReport }> {
    for (const row of registry.list(scope))
      for (const report of live.serversOf(row.id).values()) for (const instance of report.instances) yield { row, report, instance }
  }

  function find(scope: VirtualScope, name: string) {
    const hint = live.reporterOf(name)
    const row = hint && registry.get(hint.gatewayId)
    const report = hint && live.serversOf(hint.gatewayId).get(hint.server)
    const instance = report?.instances.find((one) => one.id === name)
    if (row && report && instance && isIn(scope, row)) return { row, report, instance }
    for (const found of instancesIn(scope)) if (found.instance.id === name) return found
    return null
  }

  function resourceOf({ row, report, instance }: { row: GatewayRow; report: ServerReport; instance: InstanceReport }): Resource {
    return instanceResource(row, report, instance, live.isConnected(row.id))
  }
}

/** Tools as their servers define them; the same definition on several gateways is one tool. */
export function toolVirtualKind({
  registry,
  live,
  inventories,
}: Pick<Facts, 'registry' | 'live'> & { inventories: Inventories }): VirtualKind {
  return {
    declaration: toolKind,
    list: async (_caller, scope, { server }) => await listTools(scope, (name) => !server || name === server),
    get: async (_caller, scope, name) =>
      (await listTools(scope, (server) => mayName(name, server))).find((tool) => tool.metadata.name === name) ?? null,
  }

  async function listTools(scope: VirtualScope, isWanted: (server: string) => boolean): Promise<Resource[]> {
    const tools = new Map<string, Resource>()
    const rows = registry.list(scope).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const row of rows)
      for (const report of live.serversOf(row.id).values()) {
        await turn()
        const hash = offeredInventory(report)
        if (!isWanted(report.name) || hash === undefined) continue
        const body = await inventories.find(hash)
        for (const item of body?.items ?? []) if (item.kind === 'tool') add(tools, row, report, item)
      }
    return [...tools.values()]
  }

  function add(tools: Map<string, Resource>, row: GatewayRow, report: ServerReport, item: InventoryBody['items'][number]): void {
    const key = `${report.name}/${item.name}/${item.definitionHash}`
    const known = tools.get(key)
    if (known) return void (known.status['gateways'] as string[]).push(row.name)
    tools.set(key, toolResource(row, report, item))
  }
}

/** How the name of every tool of a server begins, shortened or not. */
const mayName = (tool: string, server: string): boolean => tool.startsWith(`${server}__`.slice(0, 55))

const isIn = ({ org, workspace, environment }: VirtualScope, row: GatewayRow): boolean =>
  row.org === org && row.workspace === workspace && (environment === undefined || row.environment === environment)

async function inTurns<From, To>(all: From[], make: (one: From) => To): Promise<To[]> {
  const made: To[] = []
  for (const one of all) {
    made.push(make(one))
    await turn()
  }
  return made
}
