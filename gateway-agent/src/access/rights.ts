import type { AccessGrant } from '@mcpg/proto/access-document'

/** What a caller may use behind one path of the endpoint. Tools are asked for by the names that clients of `/mcp` see. */
export type PathRights = {
  /** Equal for callers who may use the same. */
  key: string
  /** Everything there is: nothing has to be filtered. */
  all: boolean
  /** Nothing at all. */
  none: boolean
  /** All that a server offers, its prompts and resources too. */
  server(name: string): boolean
  tool(server: string, exposedName: string): boolean
  /** Something of this server at least. */
  touches(server: string): boolean
}

// A document shares its grants between tokens and requests; what they come to is asked with every call.
const read = new WeakMap<readonly AccessGrant[], Map<string, PathRights>>()
/** Paths of one list of grants that are kept; a caller may ask for any. */
const maxPaths = 100

/** Rights at a gateway of this environment, through this project or none. */
export function pathRights(grants: readonly AccessGrant[], environment: string, project: string | undefined): PathRights {
  const path = JSON.stringify([environment, project])
  const paths = read.get(grants) ?? new Map<string, PathRights>()
  const known = paths.get(path)
  if (known) return known
  const rights = readRights(grants, environment, project)
  if (paths.size >= maxPaths) paths.clear()
  read.set(grants, paths.set(path, rights))
  return rights
}

function readRights(grants: readonly AccessGrant[], environment: string, project: string | undefined): PathRights {
  const here = grants.filter(
    (grant) =>
      (grant.environment === undefined || grant.environment === environment) && (grant.project === undefined || grant.project === project),
  )
  const all = here.some(({ on, names }) => on !== 'tools' && names === undefined)
  const allTools = here.some(({ names }) => names === undefined)
  const servers = new Set(here.flatMap(({ on, names }) => (on === 'tools' ? [] : (names ?? []))))
  const tools = new Set(here.flatMap(({ on, names }) => (on === 'servers' ? [] : (names ?? []))))
  const prefixes = [...tools].map((name) => name.slice(0, name.indexOf('__') + 2).slice(0, maxPrefix))
  const server = (name: string) => all || servers.has(name)
  return {
    key: all ? 'all' : JSON.stringify([allTools, [...servers].sort(), [...tools].sort()]),
    all,
    none: here.length === 0,
    server,
    tool: (name, exposed) => allTools || server(name) || tools.has(exposed),
    touches: (name) => allTools || server(name) || prefixes.includes(`${name}__`.slice(0, maxPrefix)),
  }
}

/** A shortened name keeps this much of what it begins with. */
const maxPrefix = 55
