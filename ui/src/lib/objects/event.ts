import type { Resource } from '@mcpg/proto/kinds/kind'
import { numberOf, recordOf, textOf } from './reported.ts'

/** Something that happened to an object, told once however often it happened; times in RFC 3339. */
export type EventView = {
  name: string
  kind: string
  object: string
  reason: string
  isWarning: boolean
  server: string
  gateway: string
  message: string
  count: number
  firstAt: string
  lastAt: string
}

export function eventView(resource: Resource): EventView {
  const spec = recordOf(resource.spec)
  const status = recordOf(resource.status)
  const object = recordOf(spec['object'])
  return {
    name: resource.metadata.name,
    kind: textOf(object['kind']),
    object: textOf(object['name']),
    reason: textOf(spec['reason']),
    isWarning: spec['type'] === 'Warning',
    server: textOf(spec['server']),
    gateway: textOf(spec['gateway']),
    message: textOf(status['message']),
    count: numberOf(status['count']) || 1,
    firstAt: textOf(status['firstAt']),
    lastAt: textOf(status['lastAt']) || textOf(resource.metadata.updatedAt),
  }
}

/** Newest first. */
export const byTime = (events: EventView[]) =>
  [...events].sort((a, b) => (a.lastAt < b.lastAt ? 1 : a.lastAt > b.lastAt ? -1 : a.name < b.name ? -1 : 1))
