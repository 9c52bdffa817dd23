import type { Operation, OperationList } from '@mcpg/proto/rest/operations'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getJson } from '../api.ts'

export type OperationFilter = { gateway?: string; kind?: string; state?: string }

export const operationsKey = (org: string) => ['operations', org]

/** Newest first. They are of the organization, which the stream of the page does not tell: read every few seconds, sooner while one runs. */
export function useOperations(org: string, filter: OperationFilter = {}) {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: [...operationsKey(org), filter],
    queryFn: ({ pageParam, signal }) => {
      const search = new URLSearchParams({ limit: '100', ...filter, ...(pageParam && { cursor: pageParam }) })
      return getJson<OperationList>(`/v1/orgs/${encodeURIComponent(org)}/operations?${search}`, signal)
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor,
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.pages.some(({ items }) => items.some(isRunning)) ? 1_000 : 10_000),
  })
  const items = data?.pages.flatMap((page) => page.items)
  return { items, error: items ? null : error, hasMore: hasNextPage, isFetchingMore: isFetchingNextPage, more: () => void fetchNextPage() }
}

export const isRunning = ({ state }: Operation): boolean => state === 'running'
