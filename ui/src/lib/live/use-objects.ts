import type { Resource } from '@mcpg/proto/kinds/kind'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { listAll } from '../paths.ts'
import { useScope } from '../scope.ts'
import { watchedKinds, type WatchedKind } from './kinds.ts'
import { objectsKey } from './objects-key.ts'

/** `items` is undefined until something is known; `error` only while nothing is. */
export type Objects<View> = { items: View[] | undefined; error: Error | null }

/**
 * All objects of a kind in the workspace, and in the environment if one is chosen. The first list comes over REST for a quick first
 * paint; from then on the stream writes the cache.
 */
export function useObjects<View>(kind: WatchedKind, view: (resource: Resource) => View): Objects<View> {
  const { org, workspace, environment } = useScope()
  const client = useQueryClient()
  const key = objectsKey({ org, workspace }, kind)
  const { data, error } = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      const listed = await listAll({ org, workspace }, watchedKinds[kind], signal)
      // The stream may have spoken meanwhile, and it knows better.
      return client.getQueryData<Resource[]>(key) ?? listed
    },
  })
  const items = useMemo(() => {
    const inScope = (one: Resource) => !environment || !one.metadata.environment || one.metadata.environment === environment
    return data?.filter(inScope).map(view)
  }, [data, environment, view])
  return { items, error: items ? null : error }
}
