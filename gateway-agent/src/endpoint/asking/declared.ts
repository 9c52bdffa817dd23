import canonicalize from 'canonicalize'
import type { AskCapability } from '../../mcp/asks.ts'
import { isObject, type Params } from '../../mcp/protocol.ts'

const capabilities = ['sampling', 'elicitation', 'roots'] as const satisfies AskCapability[]

/** What of its capabilities makes a client one that can be asked; undefined when nothing does. */
export function declaredBy(client: unknown): Params | undefined {
  return isObject(client) ? cut(client, capabilities) : undefined
}

/**
 * What is declared to a server on behalf of a client: what the client has declared and the server may ask for. Changes of the client's
 * roots are not told, so it is not declared that they are. Undefined when nothing is left.
 */
export function cut(declared: Params, forward: readonly AskCapability[]): Params | undefined {
  const kept = capabilities.filter((name) => forward.includes(name) && isObject(declared[name]))
  if (kept.length === 0) return undefined
  return Object.fromEntries(kept.map((name) => [name, name === 'roots' ? {} : declared[name]]))
}

/** What a modern server is told with a request: the client's capabilities without what the server may not ask for. */
export function withoutForbidden(all: Params, forward: readonly AskCapability[]): Params {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !isAsk(name) || forward.includes(name)))
}

function isAsk(name: string): name is AskCapability {
  return capabilities.some((one) => one === name)
}

/** The same text for the same capabilities. */
export function classOf(capabilitiesOfClient: Params): string {
  return canonicalize(capabilitiesOfClient) ?? ''
}
