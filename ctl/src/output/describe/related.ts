import type { Resource } from '@mcpg/proto/kinds/kind'
import type { GatewayConfigEntry } from '@mcpg/proto/rest/gateways'

/** An object that names the one that is described, and as what. */
export type User = { object: string; as: string }

/** What belongs to an object and is asked for by itself. */
export type Related = {
  instances: Resource[]
  tools: Resource[]
  configs: GatewayConfigEntry[]
  events: Resource[]
  users: User[]
  /** What a request would replace, or the role of a binding. */
  other: Resource | undefined
}
