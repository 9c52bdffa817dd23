import type { AccessGrant } from './access-document.ts'

/**
 * What a caller may use behind one path of an endpoint: the control plane decides by it whom it carries there, the gateway what they are
 * shown. Tools are asked for by the names that clients of `/mcp` see.
 */
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
  const here = grantsAt(grants, environment, project)
  const namesOf = (kind: 'servers' | 'tools') => new Set(here.flatMap(({ on, names = [] }) => (on === kind || on === '*' ? names : [])))
  // Whoever may use a project uses all that it shows, by its own path.
  const isWhole = ({ on, names }: AccessGrant) =>
    on === 'projects' || (on === '*' && project !== undefined && names?.includes(project)) || (on !== 'tools' && names === undefined)
  const all = here.some(isWhole)
  const allTools = all || here.some(({ names }) => names === undefined)
  const servers = namesOf('servers')
  const tools = namesOf('tools')
  const prefixes = [...tools].map((name) => name.slice(0, name.indexOf('__') + 2).slice(0, maxPrefix))
  const server = (name: string) => all || servers.has(name)
  return {
    key: all ? 'all' : JSON.stringify([allTools, [...servers].sort(), [...tools].sort()]),
    all,
    none: here.length === 0,
    server,
    tool: (name, exposed) => allTools || servers.has(name) || tools.has(exposed),
    touches: (name) => allTools || servers.has(name) || prefixes.includes(`${name}__`.slice(0, maxPrefix)),
  }
}

/** The grants that count for one path. */
export function grantsAt(grants: readonly AccessGrant[], environment: string, project: string | undefined): AccessGrant[] {
  return grants.filter(
    (grant) =>
      (grant.environment === undefined || grant.environment === environment) &&
      (grant.project === undefined || grant.project === project) &&
      (grant.on !== 'projects' || (project !== undefined && (grant.names === undefined || grant.names.includes(project)))),
  )
}

/** A shortened name keeps this much of what it begins with. */
const maxPrefix = 55
