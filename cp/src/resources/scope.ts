import { McpgError } from '@mcpg/proto/errors'
import type { KindScope } from '@mcpg/proto/kinds/kind'

/** Where an object lives: in an organization, in a workspace of it, or in a project of that. */
export type Scope = { org: string; workspace?: string | undefined; project?: string | undefined }

/** Where an object of a workspace kind lives. */
export type WorkspaceScope = { org: string; workspace: string }

/** The form in which scopes stand in tables, events and cursors: `org`, `org/workspace` or `org/workspace/proj/project`. */
export function scopeKey({ org, workspace, project }: Scope): string {
  if (workspace === undefined) return org
  return project === undefined ? `${org}/${workspace}` : `${org}/${workspace}/proj/${project}`
}

export function scopeOfKey(key: string): Scope {
  const [org = '', workspace, proj, project, ...more] = key.split('/')
  const isWhole = more.length === 0 && (proj === undefined || (proj === 'proj' && !!project))
  if (!org || workspace === '' || !isWhole)
    throw new McpgError('invalid', 'scope_malformed', `"${key}" is not a scope: write <org>/<workspace>, or <org> alone.`)
  return { org, ...(workspace && { workspace }), ...(project && { project }) }
}

/** The scope whose numbers changes get: those of projects are numbered with their workspace. */
export const feedOf = (key: string): string => key.split('/', 2).join('/')

/** Whether what lives in `key` belongs to `outer`: what is in projects belongs to their workspace. */
export const isWithin = (key: string, outer: string): boolean => key === outer || (outer.includes('/') && key.startsWith(`${outer}/proj/`))

/** Where an object of a kind would live, seen from a place at its level or below. */
export function scopeOfLevel(level: KindScope, { org, workspace, project }: Scope): Scope {
  if (level === 'org') return { org }
  return level === 'workspace' ? { org, workspace } : { org, workspace, project }
}

/** The keys of all projects of a workspace, as a range that an index finds; `0` follows `/`. */
export const projectsOf = (workspace: string) => ({ gte: `${workspace}/proj/`, lt: `${workspace}/proj0` })
