import { McpgError } from '@mcpg/proto/errors'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import type { Settings } from '../settings.ts'

type Scope = Pick<Settings, 'org' | 'workspace' | 'environment' | 'project'>
type Kind = Pick<KindDeclaration, 'kind' | 'plural' | 'scope'>

const part = encodeURIComponent

export const orgPath = ({ org }: Scope): string => `/v1/orgs/${part(org)}`
export const workspacePath = (scope: Scope): string => `${orgPath(scope)}/workspaces/${part(scope.workspace)}`
export const environmentPath = (scope: Scope): string => `${workspacePath(scope)}/environments/${part(scope.environment)}`

/** Where objects of a kind are created. Throws `invalid` for a kind that lives in projects while none is named. */
export function collectionPath(scope: Scope, { kind, plural, scope: level }: Kind): string {
  if (level === 'org') return `${orgPath(scope)}/${plural}`
  if (level === 'workspace') return `${workspacePath(scope)}/${plural}`
  if (scope.project === undefined)
    throw new McpgError('invalid', 'project_missing', `A ${kind} lives in a project, and none is named.`, {
      hint: 'name it with -p <project> (MCPG_PROJECT); mcpg-ctl get projects lists those there are',
    })
  return `${workspacePath(scope)}/projects/${part(scope.project)}/${plural}`
}

/** The list of a kind: of the project where one is named, else of all projects of the workspace. */
export const listPath = (scope: Scope, kind: Kind): string =>
  kind.scope === 'project' && scope.project === undefined ? `${workspacePath(scope)}/${kind.plural}` : collectionPath(scope, kind)

export const objectPath = (scope: Scope, kind: Kind, name: string): string => `${collectionPath(scope, kind)}/${part(name)}`

export const domainPath = (scope: Scope, host?: string): string => `${orgPath(scope)}/domains${host === undefined ? '' : `/${part(host)}`}`
