import { useQuery } from '@tanstack/react-query'
import { tokenView, type TokenView } from '../../lib/objects/token.ts'
import { listAllOf } from '../../lib/paths.ts'

export const tokensPath = (org: string): string => `/v1/orgs/${encodeURIComponent(org)}/tokens`
export const tokensKey = (org: string) => ['tokens', org]

/** The tokens of who looks, and those that they may see. They are of the organization, which nobody watches: read every few seconds. */
export function useTokens(org: string): { items: TokenView[] | undefined; error: Error | null } {
  const { data, error } = useQuery({
    queryKey: tokensKey(org),
    queryFn: async ({ signal }) => (await listAllOf(tokensPath(org), signal)).map(tokenView),
    refetchInterval: 10_000,
  })
  return { items: data, error: data ? null : error }
}
