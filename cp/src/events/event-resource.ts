import type { EventSpec, EventStatus } from '@mcpg/proto/kinds/event'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { EventRow } from '../db/db.ts'

export function eventResource(row: EventRow): Resource {
  const [org = '', workspace = ''] = row.scope.split('/')
  const { kind, name, reason, message, count, firstAt, lastAt } = row
  const spec: EventSpec = {
    object: { kind, name },
    reason,
    type: row.warning ? 'Warning' : 'Normal',
    ...(row.server !== null && { server: row.server }),
    ...(row.gateway !== null && { gateway: row.gateway }),
  }
  const status: EventStatus = { message, count, firstAt, lastAt }
  return {
    kind: 'Event',
    metadata: {
      name: `${kind.toLowerCase()}.${name}.${row.id.slice(0, 8)}`,
      uid: row.id,
      org,
      workspace,
      ...(row.environment !== null && { environment: row.environment }),
      labels: {
        kind: kind.toLowerCase(),
        ...(row.server !== null && { server: row.server }),
        ...(row.gateway !== null && { gateway: row.gateway }),
      },
      annotations: {},
      generation: 1,
      resourceVersion: '1',
      createdAt: firstAt,
      updatedAt: lastAt,
    },
    spec,
    status,
  }
}
