import { projectKind, type ProjectSpec } from '@mcpg/proto/kinds/project'
import { linkParts, type LinkHealth } from '@mcpg/proto/kinds/prompt'
import type { Db } from '../db/db.ts'
import { scopeKey, type WorkspaceScope } from '../resources/scope.ts'
import type { Runner } from './serving.ts'

/** Whether a link of a prompt leads anywhere, seen from the project whose gateways are `serving`. */
export async function linkHealth(db: Pick<Db, 'read'>, scope: WorkspaceScope, link: string, serving: Runner[]): Promise<LinkHealth> {
  const { project, server } = linkParts(link)
  const target = await projectSpec(db, scope, project)
  if (!target) return { health: 'project-missing', message: `There is no Project ${project}.` }
  if (!target.servers?.includes(server)) return { health: 'server-missing', message: `The Project ${project} has no server ${server}.` }
  if (serving.some(({ has }) => has(server))) return { health: 'ok' }
  return { health: 'unserved', message: `No gateway that serves this project runs the server ${server}.` }
}

/** Null for a project that does not exist. */
export async function projectSpec({ read }: Pick<Db, 'read'>, scope: WorkspaceScope, name: string): Promise<ProjectSpec | null> {
  const where = { scope_kind_name: { scope: scopeKey(scope), kind: projectKind.kind, name } }
  const row = await read.resource.findUnique({ where, select: { spec: true } })
  return row && (JSON.parse(row.spec) as ProjectSpec)
}
