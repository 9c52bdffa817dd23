import { z } from 'zod'
import type { KindDeclaration, Resource } from './kind.ts'

export const EventSpec = z.object({
  /** What it happened to; it may be gone since. */
  object: z.object({ kind: z.string(), name: z.string() }),
  /** CamelCase, e.g. CrashLoop, ConfigRolledBack, Offline. */
  reason: z.string(),
  type: z.enum(['Normal', 'Warning']),
  /** Server and gateway that it concerns, where there are such. */
  server: z.string().optional(),
  gateway: z.string().optional(),
})
export type EventSpec = z.infer<typeof EventSpec>

/** `message` is the newest, at most 1 KiB; `count` how often it happened between `firstAt` and `lastAt`. */
export const EventStatus = z.object({
  message: z.string(),
  count: z.number().int(),
  firstAt: z.string(),
  lastAt: z.string(),
})
export type EventStatus = z.infer<typeof EventStatus>

const spec = (resource: Resource) => resource.spec as EventSpec
const status = (resource: Resource) => resource.status as EventStatus

export const eventKind: KindDeclaration = {
  kind: 'Event',
  plural: 'events',
  aliases: ['event', 'ev'],
  scope: 'workspace',
  virtual: true,
  description:
    'Something worth telling about an object: a crash, a rollback, a gateway that went away. One per object, reason and gateway, kept 24 h after it last happened. Labels: kind, server and gateway.',
  specVersion: 1,
  spec: EventSpec,
  status: EventStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  order: 'updatedAt',
  columns: [
    { name: 'last', value: (resource) => status(resource).lastAt },
    { name: 'type', value: (resource) => spec(resource).type },
    { name: 'reason', value: (resource) => spec(resource).reason },
    { name: 'object', value: (resource) => `${spec(resource).object.kind.toLowerCase()}/${spec(resource).object.name}` },
    { name: 'gateway', value: (resource) => spec(resource).gateway ?? '' },
    { name: 'count', value: (resource) => String(status(resource).count) },
    { name: 'message', value: (resource) => status(resource).message },
    { name: 'first', wide: true, value: (resource) => status(resource).firstAt },
    { name: 'name', wide: true, value: (resource) => resource.metadata.name },
  ],
  actions: {},
  upgrade: (stored) => stored,
}
