import type { ConfigProject } from '@mcpg/proto/gateway-config'
import type { Timers } from '@mcpg/core/timers'
import type { PathRights } from '@mcpg/proto/path-rights'
import type { Implementation } from '../mcp/protocol.ts'
import { aggregate } from './aggregate.ts'
import type { Catalog } from './catalog.ts'
import type { Performer } from './perform.ts'
import { changedLists, projectPath, projectView } from './project.ts'
import { restricted } from './restricted.ts'
import type { Target } from './target.ts'

/** Ways of seeing a project that are kept; whoever sees it in one that was forgotten begins anew. */
const maxKept = 1_000

/** The projects of the config that runs. */
export type Projects = { list(): readonly ConfigProject[]; onChange(listener: () => void): void }

/** The paths of the projects, made when somebody comes; clients hear when a project shows something else. */
export function projectTargets({
  projects,
  catalog,
  timers,
  serverInfo,
  request,
}: {
  projects: Projects
  catalog: Catalog
  timers: Timers
  serverInfo: Implementation
  request: Performer['request']
}): (name: string, rights?: PathRights) => Target | null {
  /** By name, then by what somebody may use of it. */
  const targets = new Map<string, Map<string, Target>>()
  let known = byName()
  projects.onChange(() => {
    const before = known
    known = byName()
    for (const name of targets.keys()) {
      const kinds = changedLists(before.get(name), known.get(name))
      if (kinds.length > 0) catalog.tell({ type: 'pathChanged', path: projectPath(name), kinds })
      if (!known.has(name)) targets.delete(name)
    }
  })
  return (name, rights) => {
    const project = known.get(name)
    if (!project || (rights && !project.servers.some((one) => rights.touches(one.name)))) return null
    const ofProject = targets.get(name) ?? new Map<string, Target>()
    targets.set(name, ofProject)
    const key = rights?.key ?? ''
    let target = ofProject.get(key)
    if (!target) ofProject.set(key, (target = targetOf(name, rights)))
    if (ofProject.size > maxKept) ofProject.delete(ofProject.keys().next().value!)
    return target
  }

  function targetOf(name: string, rights: PathRights | undefined): Target {
    const view = projectView(name, () => known.get(name), { catalog, request })
    return aggregate({ catalog, timers, serverInfo: { ...serverInfo, title: name }, view: rights ? restricted(view, rights) : view })
  }

  function byName(): ReadonlyMap<string, ConfigProject> {
    return new Map(projects.list().map((project) => [project.name, project]))
  }
}
