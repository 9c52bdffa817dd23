import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import type { ListQuery } from '@mcpg/proto/rest/list'
import type { Caller } from '../access/caller.ts'
import type { Scope, WorkspaceScope } from './scope.ts'

/** Where a virtual object lives; without an environment the whole workspace is meant. */
export type VirtualScope = WorkspaceScope & { environment?: string | undefined }

/** The query of a list; `server` is given for `…/servers/{s}/tools`. */
export type VirtualQuery = Partial<ListQuery> & { server?: string | undefined }

/**
 * A kind without rows. `list` may use the query to answer less; the engine filters by selector, `q` and the caller, sorts and pages
 * whatever it answers. Changes are told by `changes.publish` and `changes.status`. A kind of another level names its scope.
 */
export type VirtualKind<At extends Scope = VirtualScope> = {
  declaration: KindDeclaration
  list(caller: Caller, scope: At, query: VirtualQuery): Promise<Resource[]>
  /** Null when there is none; the engine answers 404. */
  get(caller: Caller, scope: At, name: string): Promise<Resource | null>
  /** DELETE on the object; without it the answer is 405. */
  delete?(caller: Caller, scope: At, name: string): Promise<void>
}
