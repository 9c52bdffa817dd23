import type { CanIAnswer } from '@mcpg/proto/rest/access'
import { useQuery } from '@tanstack/react-query'
import { getJson } from './api.ts'

type Place = { org?: string; workspace?: string; environment?: string }
type Right = { operation: string } | { verb: string; kind: string; name?: string }

/**
 * Whether the caller may do it there, without a place in the whole installation, or somewhere below; false until it is known. The control
 * plane decides anew.
 */
export function useMay(right: Right, place: Place = {}): boolean {
  const answer = useAnswer(right, place)
  return answer?.allowed === true || answer?.below === true
}

/** The same for what is decided at that place: a right further down does not help. */
export const useMayThere = (right: Right, place: Place = {}): boolean => useAnswer(right, place)?.allowed === true

function useAnswer(right: Right, { org, workspace, environment }: Place): CanIAnswer | undefined {
  const query = new URLSearchParams({ ...right, ...(org && { org }), ...(workspace && { workspace }), ...(environment && { environment }) })
  const { data } = useQuery({
    queryKey: ['may', query.toString()],
    queryFn: ({ signal }) => getJson<CanIAnswer>(`/v1/access/can-i?${query}`, signal),
  })
  return data
}
