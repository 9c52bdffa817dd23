import type { OperationEvent, OperationPhase } from '@mcpg/proto/rest/operations'
import { expect, it } from 'vitest'
import { ApiError } from '../api.ts'
import { followOperation, type FollowParts } from './follow-operation.ts'

const event = (seq: number, phase: OperationPhase = 'applying'): OperationEvent => ({
  operationId: 'op',
  seq,
  phase,
  step: 'workload',
  status: 'doing',
  message: '',
  at: '',
})

/** Each answer of the control plane in turn: events, and then an end or an error. */
async function follow(answers: { events: OperationEvent[]; error?: Error }[]) {
  const asked: number[] = []
  const states: string[] = []
  let seen: number[] = []
  const read: FollowParts['read'] = async ({ after, onOpen, onEvent }) => {
    asked.push(after)
    const { events, error } = answers.shift()!
    if (!(error instanceof ApiError)) onOpen()
    for (const one of events) onEvent(one)
    if (error) throw error
  }
  await followOperation(
    'op',
    {
      read,
      onEvents: (events) => (seen = events.map(({ seq }) => seq)),
      onStatus: ({ state }) => states.push(state),
      wait: async () => {},
      now: () => 0,
      random: () => 0,
    },
    new AbortController().signal,
  )
  return { asked, states, seen }
}

it('resumes after the last event wherever it is cut, and has each event once', async () => {
  const cut = new Error('cut')
  const { asked, states, seen } = await follow([
    { events: [event(1), event(2)], error: cut },
    { events: [], error: new ApiError(503, {}) },
    { events: [event(2), event(3)] },
    { events: [event(4, 'ready')] },
  ])
  expect(asked).toEqual([0, 2, 2, 3])
  expect(seen).toEqual([1, 2, 3, 4])
  expect(states.filter((state) => state === 'reconnecting')).toHaveLength(3)
  expect(states.at(-1)).toBe('ended')
})

it('gives up where the control plane refuses', async () => {
  const { asked, states } = await follow([{ events: [], error: new ApiError(404, { reason: 'operation_unknown' }) }])
  expect(asked).toEqual([0])
  expect(states).toEqual(['connecting', 'refused'])
})
