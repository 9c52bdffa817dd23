import { eventKind } from '@mcpg/proto/kinds/event'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { VirtualKind } from '../resources/virtual.ts'
import { turn } from '../turns.ts'
import { eventResource } from './event-resource.ts'
import type { Events } from './events.ts'

export function eventVirtualKind(events: Pick<Events, 'listIn' | 'find'>): VirtualKind {
  return {
    declaration: eventKind,
    async list(_caller, { org, workspace, environment }) {
      const found: Resource[] = []
      for (const row of events.listIn(`${org}/${workspace}`)) {
        if (environment === undefined || row.environment === environment) found.push(eventResource(row))
        await turn()
      }
      return found
    },
    async get(_caller, { org, workspace }, name) {
      const row = events.find(`${org}/${workspace}`, name)
      return row ? eventResource(row) : null
    },
  }
}
