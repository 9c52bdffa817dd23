import type { Resource } from '@mcpg/proto/kinds/kind'
import { useQuery } from '@tanstack/react-query'
import { getJson } from '../../lib/api.ts'

export const orgPath = ({ org }: { org: string }, plural: string): string => `/v1/orgs/${encodeURIComponent(org)}/${plural}`

/** Objects of the organization, at most 500. */
export function useObjects(scope: { org: string }, plural: string) {
  const path = orgPath(scope, plural)
  return useQuery({
    queryKey: ['objects', path],
    queryFn: async ({ signal }) => (await getJson<{ items: Resource[] }>(`${path}?limit=500`, signal)).items,
    retry: false,
  })
}
