import type { Tenancy } from '@mcpg/proto/rest/tenancy'
import { useQuery } from '@tanstack/react-query'
import { getJson } from './api.ts'

/** Names of what is at such a path, workspaces or environments; none until they are known. */
export function useNames(path: string): string[] {
  const { data } = useQuery({
    queryKey: ['names', path],
    queryFn: ({ signal }) => getJson<{ items?: Tenancy[] }>(`${path}?limit=500`, signal),
  })
  return (data?.items ?? []).map(({ name }) => name)
}
