import { createHash } from 'node:crypto'
import { exposedName } from '@mcpg/proto/exposed-name'
import type { InstanceStatus } from '@mcpg/proto/kinds/instance'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { ToolSpec } from '@mcpg/proto/kinds/tool'
import type { InventoryBody } from './inventories.ts'
import type { InstanceReport, ServerReport } from './reports.ts'
import type { GatewayRow } from './store.ts'

/** An instance as an object; what an absent gateway runs is unknown. */
export function instanceResource(row: GatewayRow, report: ServerReport, instance: InstanceReport, isConnected: boolean): Resource {
  const { id, state, ...facts } = instance
  const status: InstanceStatus = { ...facts, state: isConnected ? (state ?? 'unknown') : 'unknown' }
  return {
    kind: 'Instance',
    metadata: { ...metadataOf(row, id, id), createdAt: instance.startTime ?? report.reportedAt, updatedAt: report.reportedAt },
    spec: { server: report.name, gateway: row.name },
    status,
  }
}

/** A tool as one gateway reports it. Its body may be that of another server with the same tools, so its exposed name is made here. */
export function toolResource(
  row: GatewayRow,
  report: Pick<ServerReport, 'name' | 'reportedAt'>,
  item: InventoryBody['items'][number],
): Resource {
  const { title, description } = item.definition
  const exposed = exposedName(report.name, item.name, (text) => createHash('sha256').update(text).digest('hex'))
  const spec: ToolSpec = {
    server: report.name,
    name: item.name,
    exposedName: exposed,
    ...(typeof title === 'string' && { title }),
    ...(typeof description === 'string' && { description }),
    definition: item.definition,
    definitionHash: item.definitionHash,
  }
  return {
    kind: 'Tool',
    metadata: {
      ...metadataOf(row, exposed, `${report.name}/${item.definitionHash}`),
      createdAt: report.reportedAt,
      updatedAt: report.reportedAt,
    },
    spec,
    status: { gateways: [row.name] },
  }
}

function metadataOf({ org, workspace, environment }: GatewayRow, name: string, uid: string) {
  return { name, uid, org, workspace, environment, labels: {}, annotations: {}, generation: 1, resourceVersion: '1' }
}
