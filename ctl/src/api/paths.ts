import type { Settings } from '../settings.ts'

type Scope = Pick<Settings, 'org' | 'workspace' | 'environment'>

const part = encodeURIComponent

export const workspacePath = ({ org, workspace }: Scope): string => `/v1/orgs/${part(org)}/workspaces/${part(workspace)}`
export const environmentPath = (scope: Scope): string => `${workspacePath(scope)}/environments/${part(scope.environment)}`
export const listPath = (scope: Scope, plural: string): string => `${workspacePath(scope)}/${plural}`
export const objectPath = (scope: Scope, plural: string, name: string): string => `${listPath(scope, plural)}/${part(name)}`
