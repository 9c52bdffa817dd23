import type { ClusterDrain, ClusterMove } from '@mcpg/proto/rest/clusters'
import { expect, it } from 'vitest'
import { drainedGateways } from './drain-progress.ts'

const place = (name: string) => ({ org: 'acme', workspace: 'main', environment: 'prod', name })
const item = (name: string) => ({ ...place(name), instanceUid: `${name}-1`, state: 'ready' as const })
const move = (name: string, state: ClusterMove['state'], id = `op-${name}`): ClusterMove => ({
  ...place(name),
  operationId: id,
  cluster: 'oslo',
  state,
  phase: 'applying',
  step: 'rollout',
  compensating: false,
  startedAt: '',
})
const drain: ClusterDrain = {
  startedAt: '',
  startedBy: 'ada',
  total: 5,
  left: 3,
  moving: 1,
  waiting: [{ gateway: 'acme/main/prod/full', why: 'oslo: it is full' }],
  expired: false,
}

it('tells of each gateway whether it moves, waits, comes later or has moved, what needs a look first', () => {
  const moves = [
    move('switching', 'running'),
    move('going', 'running'),
    move('gone', 'succeeded'),
    move('full', 'failed'),
    move('gone', 'failed', 'old'),
  ]
  const shown = drainedGateways(drain, { items: ['later', 'going', 'full'].map(item), moves })
  expect(shown.map(({ name, state, why, move: last }) => [name, state, why, last?.operationId])).toEqual([
    ['going', 'moving', undefined, 'op-going'],
    ['switching', 'moving', undefined, 'op-switching'],
    ['full', 'waiting', 'oslo: it is full', 'op-full'],
    ['later', 'pending', undefined, undefined],
    ['gone', 'moved', undefined, 'op-gone'],
  ])
})

it('does not count what came to nothing as moved', () => {
  expect(drainedGateways({ ...drain, waiting: [] }, { items: [], moves: [move('deleted', 'failed'), move('kept', 'cancelled')] })).toEqual(
    [],
  )
})
