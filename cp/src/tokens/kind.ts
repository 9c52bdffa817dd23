import type { Clock } from '@mcpg/core/clock'
import { mcpTokenKind } from '@mcpg/proto/kinds/mcp-token'
import type { Scope } from '../resources/scope.ts'
import type { VirtualKind } from '../resources/virtual.ts'
import { tokenResource } from './resource.ts'
import type { Tokens } from './service.ts'
import type { TokenStore } from './store.ts'

/** The tokens of MCP clients as objects of their project, to list, get, watch and delete. */
export function tokenVirtualKind({
  store,
  tokens,
  clock,
}: {
  store: Pick<TokenStore, 'list'>
  tokens: Pick<Tokens, 'remove'>
  clock: Clock
}): VirtualKind<Scope> {
  return {
    declaration: mcpTokenKind,
    list: async (_caller, scope) => await listResources(scope),
    get: async (_caller, scope, name) => (await listResources(scope, name))[0] ?? null,
    delete: (caller, scope, name) => tokens.remove({ caller, principal: null }, scope, name),
  }

  async function listResources({ org, workspace, project }: Scope, name?: string) {
    const found = await store.list({
      org,
      ...(workspace !== undefined && { workspace }),
      ...(project !== undefined && { project }),
      ...(name !== undefined && { name }),
    })
    return found.map((token) => tokenResource(token, clock.now()))
  }
}
