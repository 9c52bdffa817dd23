import type { Definition } from './lists.ts'

/** One server's resources and templates as it lists them. */
export type ResourceLists = { server: string; resources: readonly Definition[]; templates: readonly Definition[] }
export type UriRoute = { server: string; uri: string }

const aliasPattern = /^mcpg\+([a-z0-9][-a-z0-9]*):([^]+)$/

/** How a URI is listed that another server has already: unambiguous, and understood whatever else is listed. */
export function aliasOf(server: string, uri: string): string {
  return `mcpg+${server}:${uri}`
}

export type UriRoutes = ReturnType<typeof uriRoutes>

/**
 * Who serves a resource URI: an alias names its server, then the exact URI, then the template that matches with the most literal text.
 * Of servers that list the same URI the first by name has it, the others are listed by alias.
 */
export function uriRoutes(lists: readonly ResourceLists[]) {
  const owners = new Map<string, string>()
  const templateOwners = new Map<string, string>()
  const collisions: { uri: string; server: string; owner: string }[] = []
  for (const { server, resources, templates } of lists) {
    for (const { uri } of resources) claim(owners, uri, server)
    for (const { uriTemplate } of templates) claim(templateOwners, uriTemplate, server)
  }
  const templates = [...templateOwners]
    .map(([template, server]) => ({ server, ...compiled(template) }))
    .sort((a, b) => b.literal - a.literal)
  return { route, exposed, exposedTemplate, collisions }

  function claim(of: Map<string, string>, uri: unknown, server: string): void {
    if (typeof uri !== 'string') return
    const owner = of.get(uri)
    if (owner === undefined) of.set(uri, server)
    else if (owner !== server) collisions.push({ uri, server, owner })
  }

  function route(uri: string): UriRoute | undefined {
    const alias = aliasPattern.exec(uri)
    if (alias) return { server: alias[1]!, uri: alias[2]! }
    const owner = owners.get(uri) ?? templateOwners.get(uri) ?? templates.find(({ pattern }) => pattern.test(uri))?.server
    return owner === undefined ? undefined : { server: owner, uri }
  }

  /** What clients see for a URI of this server. */
  function exposed(server: string, uri: string): string {
    const owner = owners.get(uri)
    return owner === undefined || owner === server ? uri : aliasOf(server, uri)
  }

  function exposedTemplate(server: string, template: string): string {
    const owner = templateOwners.get(template)
    return owner === undefined || owner === server ? template : aliasOf(server, template)
  }
}

/** RFC 6570 expressions, read as "some text here": `{+path}`, `{#x}` and `{/x*}` may span slashes, the others may not. */
function compiled(template: string): { pattern: RegExp; literal: number } {
  let literal = 0
  const source = template.replace(
    /\{([+#/.;?&]?)[^{}]*\}|([^{}]+|[{}])/g,
    (_all, operator: string | undefined, text: string | undefined) => {
      if (text !== undefined) {
        literal += text.length
        return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      }
      if (operator === '?' || operator === '&') return '(?:[?&][^#]*)?'
      return operator === '+' || operator === '#' || operator === '/' ? '[^]*?' : '[^/?#]+?'
    },
  )
  return { pattern: new RegExp(`^${source}$`), literal }
}
