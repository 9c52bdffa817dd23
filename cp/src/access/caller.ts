import type { Access, Verb } from '@mcpg/proto/access'

/** Who makes a request; every service call takes it. */
export type Caller = {
  subject: string
  kind: 'local' | 'anonymous' | 'gateway'
  can(access: Access): boolean
  /** Names of objects of a kind (its plural) that the caller may see in a scope; lists filter by it before a page is cut. */
  visible(verb: Verb, on: string): 'all' | readonly string[]
  /** Address of the peer's socket, never a header. */
  source: string
  requestId: string
}

/** Without sign-in everybody who reaches the listener has every right and is audited as `local`. */
export function localCaller({ source, requestId }: { source: string; requestId: string }): Caller {
  return { subject: 'local', kind: 'local', can: () => true, visible: () => 'all', source, requestId }
}

/** Not signed in: what is public and nothing else. */
export function anonymousCaller({ source, requestId }: { source: string; requestId: string }): Caller {
  return { subject: 'anonymous', kind: 'anonymous', can: (access) => access === 'public', visible: () => [], source, requestId }
}

/** A gateway that acts on its own credential; what it may do is decided by the RPC, never by this. */
export function gatewayCaller(gatewayId: string, source: string): Caller {
  return { subject: gatewayId, kind: 'gateway', can: (access) => access === 'gateway', visible: () => [], source, requestId: '' }
}
