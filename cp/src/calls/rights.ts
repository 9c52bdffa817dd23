import type { AccessGrant } from '@mcpg/proto/access-document'
import { grantsAt, pathRights } from '@mcpg/proto/path-rights'
import type { Caller } from '../access/caller.ts'
import { accessGrants, type WorkspacePath } from '../tokens/document/entries.ts'

/** What is called; with both it is the server through the project. */
export type CallPath = { scope: WorkspacePath; server?: string | undefined; project?: string | undefined }

/** At one gateway: everything that the path shows, only what `grants` allow, or nothing. */
export type CallRights = 'all' | 'none' | { grants: readonly AccessGrant[] }

/** What somebody may call at gateways of an environment; decided as the endpoints decide it for tokens. */
export function callRights({ grants }: Pick<Caller, 'grants'>, { scope, server, project }: CallPath): (environment: string) => CallRights {
  const held = accessGrants(grants, scope)
  return (environment) => {
    const rights = pathRights(held, environment, project)
    if (rights.all || (server !== undefined && rights.server(server))) return 'all'
    const isNothing = server === undefined ? rights.none : !rights.touches(server)
    return isNothing ? 'none' : { grants: grantsAt(held, environment, project) }
  }
}

/** Whether there is a place for a gateway at which they may call something. */
export function mayCall(caller: Pick<Caller, 'grants'>, path: CallPath): boolean {
  const rightsAt = callRights(caller, path)
  const environments = new Set(['', ...accessGrants(caller.grants, path.scope).flatMap(({ environment }) => environment ?? [])])
  return [...environments].some((environment) => rightsAt(environment) !== 'none')
}
