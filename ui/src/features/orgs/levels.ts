import { workspacePath } from '../../lib/paths.ts'
import type { Scope } from '../../lib/scope.ts'

/** One of the three levels on which objects live, as it stands in REST, in the CLI and on the page. */
export type Level = {
  noun: 'organization' | 'workspace' | 'environment'
  title: string
  /** The list in REST. */
  path: (scope: Scope) => string
  /** What the page shows after one was chosen. */
  scopeOf: (scope: Scope, name: string) => Scope
  isChosen: (scope: Scope, name: string) => boolean
  holds: string
  commands: (scope: Scope) => { what: string; command: string }[]
}

const word = encodeURIComponent

export const levels: Level[] = [
  {
    noun: 'organization',
    title: 'Organizations',
    path: () => '/v1/orgs',
    scopeOf: (_scope, org) => ({ org, workspace: 'default', environment: undefined }),
    isChosen: ({ org }, name) => org === name,
    holds: 'workspaces, and who may do what in them',
    commands: () => [
      { what: 'List organizations', command: 'mcpg-ctl get orgs' },
      { what: 'Create one', command: 'mcpg-ctl create org <name>' },
    ],
  },
  {
    noun: 'workspace',
    title: 'Workspaces',
    path: ({ org }) => `/v1/orgs/${word(org)}/workspaces`,
    scopeOf: ({ org }, workspace) => ({ org, workspace, environment: undefined }),
    isChosen: ({ workspace }, name) => workspace === name,
    holds: 'servers, secrets, projects and environments',
    commands: ({ org }) => [{ what: 'Create a workspace', command: `mcpg-ctl create workspace <name> --org ${org}` }],
  },
  {
    noun: 'environment',
    title: 'Environments',
    path: (scope) => `${workspacePath(scope)}/environments`,
    scopeOf: (scope, environment) => ({ ...scope, environment }),
    isChosen: ({ environment }, name) => environment === name,
    holds: 'gateways',
    commands: ({ org, workspace }) => [
      { what: 'Create an environment', command: `mcpg-ctl create environment <name> --org ${org} --workspace ${workspace}` },
    ],
  },
]

export const onePath = (level: Level, scope: Scope, name: string): string => `${level.path(scope)}/${word(name)}`
