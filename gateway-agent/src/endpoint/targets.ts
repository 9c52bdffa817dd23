import { exposedName } from '@mcpg/proto/exposed-name'
import type { Timers } from '@mcpg/core/timers'
import type { PathRights } from '@mcpg/proto/path-rights'
import type { Implementation } from '../mcp/protocol.ts'
import { aggregate } from './aggregate.ts'
import { sha256, type Catalog } from './catalog.ts'
import type { Performer } from './perform.ts'
import { projectTargets, type Projects } from './project-targets.ts'
import { restricted } from './restricted.ts'
import { singleServer } from './single-server.ts'
import type { Target } from './target.ts'
import { everythingOf } from './view.ts'

/** Ways of seeing a path that are kept; whoever sees it in one that was forgotten begins anew. */
const maxKept = 1_000

/** What somebody may use behind a path, through this project or none; undefined: everything. */
export type RightsIn = (project: string | undefined) => PathRights | undefined

/** The target of a path as somebody with these rights sees it; null where there is none for them. Those who may use the same share it. */
export function endpointTargets({
  catalog,
  timers,
  serverInfo,
  gatewayName,
  projects,
  request,
}: {
  catalog: Catalog
  timers: Timers
  serverInfo: Implementation
  gatewayName: string
  projects: Projects
  request: Performer['request']
}): (path: string, rightsIn: RightsIn) => Target | null {
  const kept = new Map<string, Target>()
  const projectOf = projectTargets({ projects, catalog, timers, serverInfo, request })
  return targetOf

  function targetOf(path: string, rightsIn: RightsIn): Target | null {
    if (path === '/mcp' || path === '/mcp/') return everything(rightsIn(undefined))
    const project = /^\/mcp\/projects\/([^/]+)\/?$/.exec(path)?.[1]
    if (project !== undefined) {
      const rights = rightsIn(project)
      // Of what they may not use they are not told that it is there.
      return rights?.none ? null : projectOf(project, rights)
    }
    const name = /^\/mcp\/servers\/([^/]+)\/?$/.exec(path)?.[1]
    if (name === undefined || !catalog.book(name)) return null
    return server(name, rightsIn(undefined))
  }

  function everything(rights: PathRights | undefined): Target {
    return keep(`everything ${rights?.key ?? ''}`, () => {
      const view = everythingOf(gatewayName)
      return aggregate({ catalog, timers, serverInfo, view: rights ? restricted(view, rights) : view })
    })
  }

  function server(name: string, rights: PathRights | undefined): Target | null {
    if (rights && !rights.touches(name)) return null
    return keep(`server ${name} ${rights?.key ?? ''}`, () => {
      const shows = rights && { tool: (tool: string) => rights.tool(name, exposedName(name, tool, sha256)), others: rights.server(name) }
      return singleServer(name, { catalog, timers, ...(shows && { shows }) })
    })
  }

  function keep(key: string, make: () => Target): Target {
    let target = kept.get(key)
    if (target) return target
    kept.set(key, (target = make()))
    if (kept.size > maxKept) kept.delete(kept.keys().next().value!)
    return target
  }
}
