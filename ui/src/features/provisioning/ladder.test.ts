import type { OperationEvent, OperationPhase, StepStatus } from '@mcpg/proto/rest/operations'
import { describe, expect, it } from 'vitest'
import { ladderOf, progressOf } from './ladder.ts'
import { remediesOf } from './remedy.ts'

let seq = 0
const event = (
  phase: OperationPhase,
  step: string,
  status: StepStatus,
  message = '',
  more: Partial<OperationEvent> = {},
): OperationEvent => ({
  operationId: 'op',
  seq: ++seq,
  phase,
  step,
  status,
  message,
  at: new Date(seq * 1000).toISOString(),
  ...more,
})
const shape = (kind: 'create' | 'delete', events: OperationEvent[]) =>
  ladderOf(kind, events).phases.map(({ phase, state, steps }) => [phase, state, ...steps.map(({ key, status }) => `${key} ${status}`)])

describe('the ladder of an operation', () => {
  it('shows what is ahead before anything was told, and each phase as it is reached', () => {
    expect(shape('create', [])).toEqual([
      ['allocating', 'ahead'],
      ['applying', 'ahead'],
      ['ready', 'ahead'],
    ])
    const begun = [event('allocating', 'reserved', 'done', 'reserved on local'), event('applying', 'workload', 'doing')]
    expect(shape('create', begun)).toEqual([
      ['allocating', 'done', 'reserved done'],
      ['applying', 'waiting', 'workload doing'],
      ['ready', 'ahead'],
    ])
    expect(shape('delete', [event('applying', 'drained', 'doing')])).toEqual([
      ['applying', 'waiting', 'drained doing'],
      ['ready', 'ahead'],
    ])
  })

  it('counts attempts and times of a step, and keeps what it said last', () => {
    const events = [
      event('applying', 'rollout', 'doing'),
      event('applying', 'rollout', 'retrying', 'attempt 2 of 5'),
      event('applying', 'rollout', 'done', 'its agent runs'),
      event('ready', 'ready', 'done', 'edge is ready'),
    ]
    const { phases, last } = ladderOf('create', events)
    expect(phases[1]).toMatchObject({ state: 'done', tookMs: 3000 })
    expect(phases[1]!.steps).toEqual([expect.objectContaining({ status: 'done', attempts: 2, message: 'its agent runs', tookMs: 2000 })])
    expect(phases[2]).toMatchObject({ phase: 'ready', state: 'done' })
    expect(last?.message).toBe('edge is ready')
  })

  it('tells a failure, what is taken back, and ends in failed instead of ready', () => {
    const failing = [
      event('allocating', 'reserved', 'done'),
      event('applying', 'workload', 'done'),
      event('applying', 'rollout', 'doing'),
      event('applying', 'rollout', 'failed', 'The gateway does not start'),
      event('applying', 'workload', 'undoing'),
    ]
    expect(shape('create', failing)[2]).toEqual(['failed', 'ahead'])
    expect(progressOf(failing)).toEqual({ phase: 'applying', step: 'workload', compensating: true })
    expect(shape('create', failing)[1]).toEqual(['applying', 'failed', 'workload done', 'rollout failed', 'workload back undoing'])
    const error = { reason: 'workload_failed', message: 'The gateway does not start' }
    const over = [...failing, event('applying', 'workload', 'undone'), event('failed', 'rollout', 'failed', error.message, { error })]
    expect(shape('create', over)).toEqual([
      ['allocating', 'done', 'reserved done'],
      ['applying', 'failed', 'workload done', 'rollout failed', 'workload back undone'],
      ['failed', 'failed'],
    ])
  })

  it('has no phase that was never reached', () => {
    const refused = [event('allocating', 'filtering', 'failed'), event('failed', 'filtering', 'failed', 'No cluster can take it')]
    expect(shape('create', refused).map(([phase]) => phase)).toEqual(['allocating', 'failed'])
  })
})

describe('what to do about a failure', () => {
  const failed = (reason: string, over: string[] = []) =>
    event('failed', 'filtering', 'failed', '', {
      error: { reason, message: '' },
      passedOver: over.map((one) => ({ cluster: one, reason: one, detail: '' })),
    })
  it('is one sentence for each reason, and none for what somebody wanted', () => {
    expect(remediesOf(failed('no_capacity', ['cpu', 'memory', 'region']))).toHaveLength(2)
    expect(remediesOf(failed('no_capacity'))[0]).toMatch(/cluster register/)
    expect(remediesOf(failed('no_capacity', ['something new']))).toEqual(['Register another cluster.'])
    expect(remediesOf(failed('quota_exceeded'))[0]).toMatch(/mcpg-ctl get quotas/)
    expect(remediesOf(failed('cancelled'))).toEqual([])
    expect(remediesOf(failed('step_timeout'))[0]).toMatch(/log of the control plane/)
  })
})
