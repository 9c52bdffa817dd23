import type { Operation, OperationEvent } from '@mcpg/proto/rest/operations'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { getJson } from '../api.ts'
import { wait } from '../live/wait.ts'
import { followOperation, type FollowStatus } from './follow-operation.ts'
import { readEvents } from './read-events.ts'

export const operationPath = (id: string): string => `/v1/operations/${encodeURIComponent(id)}`
export const operationKey = (id: string) => ['operation', id]

/** One operation and everything that was told of it so far, from the database: whoever comes later sees the same. For one id only. */
export function useOperation(id: string) {
  const queries = useQueryClient()
  const [events, setEvents] = useState<OperationEvent[]>([])
  const [status, setStatus] = useState<FollowStatus>({ state: 'connecting' })
  const { data, error } = useQuery({
    queryKey: operationKey(id),
    queryFn: ({ signal }) => getJson<Operation>(operationPath(id), signal),
  })
  useEffect(() => {
    const stop = new AbortController()
    void followOperation(
      id,
      {
        read: readEvents,
        onEvents: setEvents,
        onStatus: (next) => {
          setStatus(next)
          // The row says what the last event does not: how it ended, and when.
          if (next.state === 'ended') void queries.invalidateQueries({ queryKey: operationKey(id) })
        },
        wait,
        now: Date.now,
        random: Math.random,
      },
      stop.signal,
    )
    return () => stop.abort()
  }, [id, queries])
  return { operation: data, error: data ? null : error, events, status }
}
