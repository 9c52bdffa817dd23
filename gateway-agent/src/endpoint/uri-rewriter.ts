import { isObject, type Params } from '../mcp/protocol.ts'
import type { Catalog, Indexes } from './catalog.ts'

/**
 * Looks through a result for URIs of its server: those in links and embedded resources are remembered, so that a client may read what a
 * tool has only mentioned, and those that another server owns become aliases.
 */
export function uriRewriter(catalog: Pick<Catalog, 'remember'>, index: () => Indexes): (server: string) => (result: Params) => boolean {
  const known = new Map<string, (result: Params) => boolean>()
  return (server) => {
    let rewriter = known.get(server)
    if (!rewriter) known.set(server, (rewriter = (result) => rewrite(server, result)))
    return rewriter
  }

  function rewrite(server: string, result: Params): boolean {
    let changed = false
    for (const part of listOf(result['content'])) changed = rewritePart(server, part) || changed
    for (const part of listOf(result['contents'])) changed = rewriteUri(server, part) || changed
    for (const message of listOf(result['messages'])) if (isObject(message)) changed = rewritePart(server, message['content']) || changed
    return changed
  }

  function rewritePart(server: string, part: unknown): boolean {
    if (!isObject(part)) return false
    if (part['type'] === 'resource_link') return rewriteUri(server, part)
    return part['type'] === 'resource' && rewriteUri(server, part['resource'])
  }

  function rewriteUri(server: string, holder: unknown): boolean {
    if (!isObject(holder) || typeof holder['uri'] !== 'string') return false
    const { uri } = holder
    catalog.remember(uri, server)
    const exposed = index().uris.exposed(server, uri)
    if (exposed === uri) return false
    holder['uri'] = exposed
    return true
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
