import type { Domain } from '@mcpg/proto/rest/domains'
import { useQuery } from '@tanstack/react-query'
import { getJson } from './api.ts'

export const domainsKey = (org: string) => ['domains', org]
export const domainsPath = (org: string, host?: string) =>
  `/v1/orgs/${encodeURIComponent(org)}/domains${host === undefined ? '' : `/${encodeURIComponent(host)}`}`

/** Domains of an organization, for whoever provisions in all of it: no object of a workspace, so read every few seconds. */
export function useDomains(org: string, isEnabled = true): { items: Domain[] | undefined; error: Error | null } {
  const { data, error } = useQuery({
    queryKey: domainsKey(org),
    queryFn: async ({ signal }) => (await getJson<{ items: Domain[] }>(domainsPath(org), signal)).items,
    enabled: isEnabled,
    refetchInterval: 10_000,
    staleTime: 0,
  })
  return { items: data, error: data ? null : error }
}
