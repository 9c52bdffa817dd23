import type { Quotas } from '@mcpg/proto/rest/quotas'
import { useQuery } from '@tanstack/react-query'
import { getJson } from './api.ts'

export const quotasKey = (org: string) => ['quotas', org]
export const quotasPath = (org: string) => `/v1/orgs/${encodeURIComponent(org)}/quotas`

/** What managed gateways of an organization may take and take: no object of a workspace, so read every few seconds. */
export function useQuotas(org: string) {
  const { data, error } = useQuery({
    queryKey: quotasKey(org),
    queryFn: ({ signal }) => getJson<Quotas>(quotasPath(org), signal),
    refetchInterval: 10_000,
    staleTime: 0,
  })
  return { data, error: data ? null : error }
}
