import type { Workspace } from '../paths.ts'
import type { WatchedKind } from './kinds.ts'

/** Where the cache holds all objects of a kind of a workspace. */
export const objectsKey = (scope: Workspace, kind: WatchedKind) => ['objects', scope.org, scope.workspace, kind] as const
