import type { Resource } from '@mcpg/proto/kinds/kind'
import type { ResourceList } from '@mcpg/proto/rest/list'
import { getJson } from './api.ts'

/** The part of a scope that REST paths and watches know; environments are a filter of the page. */
export type Workspace = { org: string; workspace: string }

const word = encodeURIComponent

export const workspacesPath = (org: string) => `/v1/orgs/${word(org)}/workspaces`

export const workspacePath = ({ org, workspace }: Workspace) => `/v1/orgs/${word(org)}/workspaces/${word(workspace)}`

export const objectPath = (scope: Workspace, plural: string, name: string, action?: string) =>
  `${workspacePath(scope)}/${plural}/${word(name)}${action ? `/${action}` : ''}`

export const environmentPath = (scope: Workspace, environment: string) => `${workspacePath(scope)}/environments/${word(environment)}`

export const enrollmentsPath = (scope: Workspace, environment: string) => `${environmentPath(scope, environment)}/enrollments`

export const gatewayRestPath = (scope: Workspace, environment: string, gateway: string) =>
  `${environmentPath(scope, environment)}/gateways/${word(gateway)}`

/** Every object of a kind in a workspace. */
export const listAll = (scope: Workspace, plural: string, signal?: AbortSignal): Promise<Resource[]> =>
  listAllOf(`${workspacePath(scope)}/${plural}`, signal)

/** All pages of a list. */
export async function listAllOf(path: string, signal?: AbortSignal): Promise<Resource[]> {
  const items: Resource[] = []
  let cursor: string | undefined
  do {
    const query = cursor === undefined ? '' : `&cursor=${word(cursor)}`
    const page: ResourceList = await getJson(`${path}?limit=500${query}`, signal)
    items.push(...(page.items ?? []))
    cursor = page.nextCursor || undefined
  } while (cursor !== undefined)
  return items
}
