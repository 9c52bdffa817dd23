import { timestampMs } from '@bufbuild/protobuf/wkt'
import type { ObjectEvent } from '@mcpg/proto/gen/delivery'
import type { Live } from '../gateways/live.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Talk } from '../link/service.ts'
import type { Events } from './events.ts'

/** What gateways may tell of; a gateway of itself only. */
const kinds = new Set(['Instance', 'Server', 'Gateway'])
const reasonForm = /^[A-Z][A-Za-z0-9]{1,63}$/
const maxPerReport = 100
const maxName = 128

/** Object events as gateways report them. What does not have their form is left out: nobody waits for an answer. */
export function reportedEvents({
  events,
  registry,
  live,
}: {
  events: Pick<Events, 'tell'>
  registry: Pick<Registry, 'get'>
  live: Pick<Live, 'reporterOf'>
}): Talk {
  return {
    frames: ['objectEvents'],
    heard(line, frame) {
      if (frame.case === 'objectEvents') for (const event of frame.value.events.slice(0, maxPerReport)) take(line.gatewayId, event)
    },
    closed() {},
  }

  function take(gatewayId: string, { kind, name, reason, warning, message, count, time }: ObjectEvent): void {
    const row = registry.get(gatewayId)
    if (!row || !kinds.has(kind) || !reasonForm.test(reason) || name === '' || name.length > maxName) return
    const server = kind === 'Server' ? name : kind === 'Instance' ? live.reporterOf(name)?.server : undefined
    events.tell({
      scope: row,
      kind,
      name: kind === 'Gateway' ? row.name : name,
      reason,
      warning,
      message,
      gateway: row.name,
      count: Math.max(1, count),
      ...(server !== undefined && { server }),
      ...(time && { at: new Date(timestampMs(time)).toISOString() }),
    })
  }
}
