import { McpgError } from '@mcpg/proto/errors'

/** Where an object of a workspace kind lives. */
export type WorkspaceScope = { org: string; workspace: string }

/** The form in which scopes stand in tables, events and cursors. */
export const scopeKey = ({ org, workspace }: WorkspaceScope): string => `${org}/${workspace}`

export function scopeOfKey(key: string): WorkspaceScope {
  const [org = '', workspace = ''] = key.split('/')
  if (!org || !workspace) throw new McpgError('invalid', 'scope_malformed', `"${key}" is not a scope: write <org>/<workspace>.`)
  return { org, workspace }
}
