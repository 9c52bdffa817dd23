import type { Configs } from '../config/service.ts'
import type { Registry } from '../gateways/registry.ts'
import type { WorkspaceScope } from '../resources/scope.ts'

/** A gateway and which servers its config has. */
export type Runner = { row: ReturnType<Registry['list']>[number]; has: (server: string) => boolean }

/** The gateways of a workspace that have one of the servers, by name. */
export type ServingOf = (scope: WorkspaceScope, servers: readonly string[]) => Runner[]

export function servingOf({ registry, configs }: { registry: Pick<Registry, 'list'>; configs: Pick<Configs, 'standing'> }): ServingOf {
  return (scope, servers) =>
    registry
      .list(scope)
      .filter(({ revokedAt }) => revokedAt === null)
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map((row): Runner => {
        const entries = configs.standing(row.id).desired?.document.entries
        return { row, has: (server) => entries?.has(server) ?? false }
      })
      .filter(({ has }) => servers.some(has))
}
